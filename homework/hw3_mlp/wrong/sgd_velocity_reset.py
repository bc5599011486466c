"""The velocity starts at zero in every step."""

import numpy as np


class SGD:
    def step(self):
        for layer in self.layers:
            for name, gradient in layer.grads.items():
                velocity = np.zeros_like(gradient)
                velocity = self.momentum * velocity + gradient
                layer.params[name] -= self.learning_rate * velocity
