"""x - t without 1/N, though the loss is a mean."""


class HalfSquaredError:
    def backward(self):
        return self.difference
