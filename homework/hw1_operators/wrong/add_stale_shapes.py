"""The shapes of the first call are kept for good."""


class Add:
    def forward(self, u, v):
        if not hasattr(self, "u"):
            self.u, self.v = u, v
        return u + v

    def backward(self, dy):
        u_shape, v_shape = self.u.shape, self.v.shape
        du = dy if dy.shape == u_shape else dy.sum(axis=0)
        return du, dy if dy.shape == v_shape else dy.sum(axis=0)
