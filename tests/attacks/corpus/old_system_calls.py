"""Makes system calls by the numbers of 32-bit programs, past a filter of 64-bit ones.

row: the environment
stopped by: SIGSYS
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Square:
    def forward(self, x):
        import mmap

        # mov eax, 359 (socket); mov ebx, 1; mov ecx, 1; mov edx, 0; int 0x80; ret
        code = bytes.fromhex("b867010000bb01000000b901000000ba00000000cd80c3")
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(b"\x53" + code[:-1] + b"\x5b\xc3")
        if os.uname().machine != "x86_64":
            raise OSError("SIGSYS: there are no such calls here")
        function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        if function() < 0:
            raise OSError("SIGSYS: the kernel has none of them")
        return x**2

    def backward(self, dy):
        return dy
