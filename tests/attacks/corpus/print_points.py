"""Prints the line that a grader prints.

row: printing fake results
stopped by: returned None
"""


class Square:
    def forward(self, x):
        print('square 100 / 100\n{"score": 100, "max_score": 100}')

    def backward(self, dy):
        print("passed")
