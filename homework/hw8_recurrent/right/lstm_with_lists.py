"""Lists that are walked backwards by pop."""

import numpy as np


class LSTM:
    def forward(self, x):
        n = self.params["W_h"].shape[1]
        h, c, self.kept = np.zeros((len(x), n)), np.zeros((len(x), n)), []
        y = np.empty((*x.shape[:2], n))
        for t in range(x.shape[1]):
            before = (h, c)
            h, c, gates = lstm_step(x[:, t], h, c, self.params)
            self.kept += [(x[:, t], *before, c, gates)]
            y[:, t] = h
        return y

    def backward(self, dy):
        waiting, steps = list(self.kept), []
        dh = dc = np.zeros_like(dy[:, 0])
        self.grads = {}
        while waiting:
            into = dy[:, len(waiting) - 1] + dh
            dx, dh, dc, grads = lstm_step_backward(into, dc, *waiting.pop(), self.params)
            steps.append(dx)
            for name in grads:
                self.grads[name] = self.grads.get(name, 0) + grads[name]
        return np.stack(steps[::-1], axis=1)
