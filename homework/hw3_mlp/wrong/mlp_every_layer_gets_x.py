"""y = layer.forward(x) with the first x each time."""


class MLP:
    def forward(self, x):
        for layer in self.layers:
            y = layer.forward(x)
        return y
