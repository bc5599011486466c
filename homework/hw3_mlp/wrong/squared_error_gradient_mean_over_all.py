"""Divided by samples times features."""


class HalfSquaredError:
    def backward(self):
        return self.difference / self.difference.size
