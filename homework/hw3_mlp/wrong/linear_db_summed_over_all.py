"""db is one number for all outputs."""


class Linear:
    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum()}
        return dy @ self.params["W"]
