"""From the first layer to the last."""


class MLP:
    def backward(self, dy):
        for layer in self.layers:
            dy = layer.backward(dy)
        return dy
