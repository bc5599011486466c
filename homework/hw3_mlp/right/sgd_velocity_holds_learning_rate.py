"""v = momentum · v - learning_rate · g and w + v: the same path, as the rate is constant."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] *= self.momentum
                velocity[name] -= self.learning_rate * gradient
                layer.params[name] += velocity[name]
