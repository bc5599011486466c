"""The first layer's output, as by a return inside the loop."""


class MLP:
    def forward(self, x):
        return self.layers[0].forward(x)
