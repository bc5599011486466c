"""w moves before v is renewed."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                layer.params[name] -= self.learning_rate * velocity[name]
                velocity[name] = self.momentum * velocity[name] + gradient
