"""A square as a product, whose node is used twice."""


def square(u):
    return mul(u, u)


def matmul(A, B):
    a, b = A.value.copy(), B.value.copy()
    return Node(a.dot(b), [A, B], [lambda dy: dy.dot(b.T), lambda dy: a.T.dot(dy)])
