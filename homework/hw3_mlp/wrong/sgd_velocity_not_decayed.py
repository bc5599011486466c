"""v + g, without the factor momentum."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = velocity[name] + gradient
                layer.params[name] -= self.learning_rate * velocity[name]
