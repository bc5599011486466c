"""The velocity is not used."""


class SGD:
    def step(self):
        for layer in self.layers:
            for name, gradient in layer.grads.items():
                layer.params[name] -= self.learning_rate * gradient
