"""Returns subclasses of float, tuple and dict.

row: objects and ndarray subclasses that claim to equal everything
stopped by: of type square.Number
"""


class Number(float):
    def __eq__(self, _):
        return True

    __hash__ = None


class Square:
    def forward(self, x):
        return {"y": (Number(1), {"x": Number(0)})}

    def backward(self, dy):
        return (Number(0),)
