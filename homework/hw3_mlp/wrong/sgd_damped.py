"""v is a moving average: g is multiplied by 1 - momentum."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + (1 - self.momentum) * gradient
                layer.params[name] -= self.learning_rate * velocity[name]
