"""grads["dW"] for grads["W"]."""


class Linear:
    def backward(self, dy):
        self.grads = {"dW": dy.T @ self.x, "db": dy.sum(axis=0)}
        return dy @ self.params["W"]
