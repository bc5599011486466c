"""Fills everything that people read with halves of letters, which no file can hold.

row: printing fake results
stopped by: ValueError
"""


class Square:
    def forward(self, x):
        print("\ud83d \udcff")
        raise ValueError("\udfff \u202e001 / 001 \x1b[2J", {"\ud801": "\udc00"})

    def backward(self, dy):
        return {"\ud800": "\udfff"}
