"""dy for both, in y's shape."""


class Add:
    def backward(self, dy):
        return dy, dy
