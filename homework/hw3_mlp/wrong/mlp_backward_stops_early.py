"""The first layer is left out: no dx, and no gradients for it."""


class MLP:
    def backward(self, dy):
        for layer in reversed(self.layers[1:]):
            dy = layer.backward(dy)
        return dy
