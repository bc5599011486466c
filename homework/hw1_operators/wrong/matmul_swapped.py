"""The order of the return: dB, dA."""


class MatMul:
    def backward(self, dY):
        return self.A.T @ dY, dY @ self.B.T
