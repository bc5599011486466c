"""A step of g + momentum · v, with the new v."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + gradient
                layer.params[name] -= self.learning_rate * (
                    gradient + self.momentum * velocity[name]
                )
