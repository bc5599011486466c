"""dy is passed through."""


class Tanh:
    def backward(self, dy):
        return dy
