"""dx = Wᵀ dyᵀ: the samples come back as columns."""


class Linear:
    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return self.params["W"].T @ dy.T
