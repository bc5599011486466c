"""y² - 1."""


class Tanh:
    def backward(self, dy):
        return dy * (self.y**2 - 1)
