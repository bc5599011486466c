"""dy is passed through."""


class ReLU:
    def backward(self, dy):
        return dy
