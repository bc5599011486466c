"""dy is passed through."""


class Cos:
    def backward(self, dy):
        return dy
