"""x[x < 0] = 0 changes the caller's x."""


class ReLU:
    def forward(self, x):
        self.positive = x > 0
        x[x < 0] = 0
        return x
