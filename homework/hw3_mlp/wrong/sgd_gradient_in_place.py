"""gradient += momentum · v writes into layer.grads."""


class SGD:
    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                gradient += self.momentum * velocity[name]
                velocity[name] = gradient.copy()
                layer.params[name] -= self.learning_rate * velocity[name]
