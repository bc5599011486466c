"""The first x is kept for good."""


class Linear:
    def forward(self, x):
        if not hasattr(self, "x"):
            self.x = x
        return x @ self.params["W"].T + self.params["b"]
