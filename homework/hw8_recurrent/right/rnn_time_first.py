"""Time as the first axis; all states in one array."""

import numpy as np


class RNN:
    def forward(self, x):
        self.inputs = np.swapaxes(x, 0, 1)
        self.states = np.zeros((len(self.inputs) + 1, len(x), len(self.params["W_h"])))
        for t, x_t in enumerate(self.inputs):
            self.states[t + 1] = rnn_step(x_t, self.states[t], self.params)
        return self.states[1:].swapaxes(0, 1).copy()

    def backward(self, dy):
        dh, steps, parts = 0, [], []
        for t in range(len(self.inputs) - 1, -1, -1):
            into, h = dy[:, t] + dh, self.states
            dx, dh, grads = rnn_step_backward(into, self.inputs[t], h[t], h[t + 1], self.params)
            steps.insert(0, dx)
            parts.append(grads)
        self.grads = {name: sum(part[name] for part in parts) for name in self.params}
        return np.stack(steps, axis=1)
