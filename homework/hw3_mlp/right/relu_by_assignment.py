"""Assignment through a mask, on copies."""


class ReLU:
    def forward(self, x):
        y = x.copy()
        y[y < 0] = 0
        self.y = y
        return y

    def backward(self, dy):
        dx = dy.copy()
        dx[self.y <= 0] = 0
        return dx
