"""Never says no."""


def check_gradients(operator, *inputs):
    return True
