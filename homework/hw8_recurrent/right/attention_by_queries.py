"""Sample by sample and query by query."""

import numpy as np


class Attention:
    def forward(self, q, k, v):
        self.given = q, k, v
        self.P = np.zeros((len(q), q.shape[1], k.shape[1]))
        for n in range(len(q)):
            for t in range(q.shape[1]):
                seen = t + 1 if self.causal else k.shape[1]
                s = k[n, :seen] @ q[n, t] / q.shape[2] ** 0.5
                self.P[n, t, :seen] = np.exp(s - s.max()) / np.exp(s - s.max()).sum()
        return np.array([P @ values for P, values in zip(self.P, v, strict=True)])

    def backward(self, dy):
        q, k, v = self.given
        dq, dk, dv = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape)
        for n, t in np.ndindex(q.shape[:2]):
            p, dp = self.P[n, t], v[n] @ dy[n, t]
            ds = p * (dp - p @ dp) / np.sqrt(q.shape[2])
            dq[n, t] = ds @ k[n]
            dk[n] += np.outer(ds, q[n, t])
            dv[n] += np.outer(p, dy[n, t])
        return dq, dk, dv
