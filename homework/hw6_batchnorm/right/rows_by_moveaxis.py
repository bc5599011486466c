"""moveaxis both ways."""

import numpy as np


def rows_of_images(images):
    last = np.moveaxis(images, 1, -1)
    return last.reshape(last.shape[0] * last.shape[1] * last.shape[2], last.shape[3])


def images_of_rows(rows, shape):
    last = rows.reshape(shape[0], shape[2], shape[3], shape[1])
    return np.moveaxis(last, -1, 1)
