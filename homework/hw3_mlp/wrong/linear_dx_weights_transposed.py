"""dx = dy Wᵀ: the transpose of one sample's formula, applied to rows."""


class Linear:
    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"].T
