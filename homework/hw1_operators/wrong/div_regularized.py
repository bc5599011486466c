"""v + 0.001, against a division by zero that does not occur."""


class Div:
    def forward(self, u, v):
        self.u, self.v = u, v + 1e-3
        return u / self.v
