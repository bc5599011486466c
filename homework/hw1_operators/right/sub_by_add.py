"""u + (-v)."""


class Sub:
    def forward(self, u, v):
        self.add = Add()
        return self.add.forward(u, -v)

    def backward(self, dy):
        du, dv = self.add.backward(dy)
        return du, -dv
