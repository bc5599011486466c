"""No return."""


class MLP:
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
