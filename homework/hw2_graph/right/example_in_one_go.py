"""In another order, with a product for the square."""


def worked_example(x):
    a = square(x)
    c = add(exp(a), a)
    e = cos(c)
    d = sqrt(c)
    return [a, c.parents[0], c, d, e, add(e, d)]
