"""dB = dYᵀ A."""


class MatMul:
    def backward(self, dY):
        return dY @ self.B.T, dY.T @ self.A
