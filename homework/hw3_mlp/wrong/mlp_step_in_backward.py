"""backward takes the optimizer's step on the way."""


class MLP:
    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
            for name, gradient in layer.grads.items():
                layer.params[name] -= 0.1 * gradient
        return dy
