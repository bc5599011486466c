"""dy is passed through."""


class Sigmoid:
    def backward(self, dy):
        return dy
