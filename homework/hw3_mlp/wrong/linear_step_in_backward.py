"""backward takes the optimizer's step, after dx."""


class Linear:
    def backward(self, dy):
        dx = dy @ self.params["W"]
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        self.params["W"] -= 0.1 * self.grads["W"]
        self.params["b"] -= 0.1 * self.grads["b"]
        return dx
