"""The operands of the first call are kept for good."""


class Mul:
    def forward(self, u, v):
        shapes = u.shape, v.shape
        if getattr(self, "shapes", None) != shapes:
            self.shapes, self.u, self.v = shapes, u, v
        return u * v
