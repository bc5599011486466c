"""In y's shape."""


class Mul:
    def backward(self, dy):
        return dy * self.v, dy * self.u
