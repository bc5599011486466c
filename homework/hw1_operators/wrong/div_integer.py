"""// rounds down."""


class Div:
    def forward(self, u, v):
        self.u, self.v = u, v
        return u // v
