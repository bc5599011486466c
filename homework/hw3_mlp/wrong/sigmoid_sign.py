"""y (y - 1): the two minus of the quotient rule give a plus."""


class Sigmoid:
    def backward(self, dy):
        return dy * self.y * (self.y - 1)
