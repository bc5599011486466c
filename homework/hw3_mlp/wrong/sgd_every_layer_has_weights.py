"""grads["W"] of a ReLU."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name in ("W", "b"):
                velocity[name] = self.momentum * velocity[name] + layer.grads[name]
                layer.params[name] -= self.learning_rate * velocity[name]
