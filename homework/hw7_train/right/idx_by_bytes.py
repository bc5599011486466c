"""A header read number by number, through a file in memory."""

import gzip
import io

import numpy as np


def read_idx(content):
    file = io.BytesIO(gzip.decompress(content) if content[0] == 31 else content)
    file.read(2)
    dtype = np.dtype(DTYPES[file.read(1)[0]])
    shape = [np.frombuffer(file.read(4), ">u4")[0] for _ in range(file.read(1)[0])]
    array = np.frombuffer(file.read(), dtype).reshape(tuple(int(n) for n in shape))
    return np.array(array, float if dtype.kind == "f" else int)
