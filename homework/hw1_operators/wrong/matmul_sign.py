"""-dA."""


class MatMul:
    def backward(self, dY):
        return -dY @ self.B.T, self.A.T @ dY
