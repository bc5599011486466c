"""dA = B dYᵀ."""


class MatMul:
    def backward(self, dY):
        return self.B @ dY.T, self.A.T @ dY
