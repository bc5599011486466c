"""Velocities by (layer, name), made when they are first needed."""


class SGD:
    def __init__(self, layers, learning_rate=0.1, momentum=0.0):
        self.layers, self.learning_rate, self.momentum = layers, learning_rate, momentum
        self.v = {}

    def step(self):
        for i, layer in enumerate(self.layers):
            for name in layer.params:
                g = layer.grads[name]
                self.v[i, name] = self.momentum * self.v.get((i, name), 0) + g
                layer.params[name] = layer.params[name] - self.learning_rate * self.v[i, name]
