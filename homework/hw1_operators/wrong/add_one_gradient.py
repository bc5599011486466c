"""One array for two operands."""


class Add:
    def backward(self, dy):
        return dy
