"""Returns an object that equals everything.

row: objects and ndarray subclasses that claim to equal everything
stopped by: of type square.Anything
"""


class Anything:
    __array_priority__ = 1e9
    shape = (4, 3)

    def __eq__(self, _):
        return True

    def __array__(self, *_, **__):
        raise SystemExit(0)

    __hash__ = None


class Square:
    def forward(self, x):
        return Anything()

    def backward(self, dy):
        return Anything()
