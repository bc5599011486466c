"""w = w - ... gives the result a name and forgets it."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + gradient
                w = layer.params[name]
                w = w - self.learning_rate * velocity[name]
