"""Only layers with parameters are gone through."""


class MLP:
    def backward(self, dy):
        for layer in reversed(self.layers):
            if layer.params:
                dy = layer.backward(dy)
        return dy
