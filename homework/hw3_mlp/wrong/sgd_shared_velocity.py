"""One velocity by parameter name: all layers share it."""


class SGD:
    def step(self):
        velocity = self.velocities[0]
        for layer in self.layers:
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + gradient
                layer.params[name] -= self.learning_rate * velocity[name]
