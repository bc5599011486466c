"""B is reshaped where it should be transposed."""


class MatMul:
    def backward(self, dY):
        return dY @ self.B.reshape(self.B.shape[::-1]), self.A.T @ dY
