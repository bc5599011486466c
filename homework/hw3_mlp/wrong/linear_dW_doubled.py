"""A factor 2, as from a square that is not there."""


class Linear:
    def backward(self, dy):
        self.grads = {"W": 2 * dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
