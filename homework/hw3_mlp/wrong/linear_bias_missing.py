"""y without the bias: with b = 0 at the start nobody notices."""


class Linear:
    def forward(self, x):
        self.x = x
        return x @ self.params["W"].T
