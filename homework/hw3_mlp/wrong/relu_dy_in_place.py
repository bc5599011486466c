"""dy[x <= 0] = 0 changes the caller's dy."""


class ReLU:
    def backward(self, dy):
        dy[~self.positive] = 0
        return dy
