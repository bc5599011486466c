"""dx = layer.backward(dy) with the last dy each time."""


class MLP:
    def backward(self, dy):
        for layer in reversed(self.layers):
            dx = layer.backward(dy)
        return dx
