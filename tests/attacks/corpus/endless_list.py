"""Returns a list that contains itself.

row: fork, memory and output bombs
stopped by: nested too deeply
"""


class Square:
    def forward(self, x):
        endless = []
        endless.append(endless)
        return endless

    def backward(self, dy):
        return dy
