"""The first factors are kept while the shapes stay."""


class MatMul:
    def forward(self, A, B):
        if not hasattr(self, "A") or self.A.shape != A.shape:
            self.A, self.B = A, B
        return A @ B
