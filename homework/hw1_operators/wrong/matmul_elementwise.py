"""A * B."""


class MatMul:
    def forward(self, A, B):
        self.A, self.B = A, B
        return A * B
