"""dW = xᵀ dy, which has W's shape where W is stored as (in, out)."""


class Linear:
    def backward(self, dy):
        self.grads = {"W": self.x.T @ dy, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
