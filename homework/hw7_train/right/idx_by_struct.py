"""struct, and a loop that multiplies the sizes."""

import gzip
import struct

import numpy as np


def read_idx(content):
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    _, _, code, axes = struct.unpack_from("BBBB", content)
    shape = struct.unpack_from(f">{axes}I", content, 4)
    array = np.frombuffer(content[4 + 4 * axes :], DTYPES[code]).reshape(shape)
    return array.astype("f8") if code > 12 else array.astype("i8")
