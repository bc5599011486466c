"""dy is multiplied by -y²: the 1 is lost."""


class Tanh:
    def backward(self, dy):
        return -dy * self.y**2
