"""1 - y², which belongs to tanh."""


class Sigmoid:
    def backward(self, dy):
        return dy * (1 - self.y**2)
