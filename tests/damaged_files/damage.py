"""How files are damaged, outside and inside of what is compressed; and files that say too much."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

WRONG = [None, True, -1, 0, 2.5, 1e400, 10**30, "", "text\x1b[31m", [], [1], {}, {"a": 1}, [[1, 2]]]
LIES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]
CUTS = 500  # of a file at most


def damaged(whole: bytes, name: str, rng: np.random.Generator) -> Iterator[bytes]:
    """Damaged copies without end: cuts, then in turn at random, inside, and wrong fields."""
    places = (
        range(len(whole)) if len(whole) <= CUTS else sorted(rng.choice(len(whole), CUTS, False))
    )
    yield from (whole[:place] for place in places)
    fields = wrong_fields(whole, name)
    while True:
        yield at_random(whole, rng)
        yield inside(whole, name, rng)
        yield from islice(fields, 2)


def at_random(whole: bytes, rng: np.random.Generator) -> bytes:
    """One to three bits, bytes, pieces or numbers that are others."""
    content = bytearray(whole or b"\0")
    for _ in range(int(rng.integers(1, 4))):
        place, way = int(rng.integers(len(content) or 1)), int(rng.integers(4))
        if way == 0 and content:
            content[place] ^= 1 << int(rng.integers(8))
        elif way == 1:
            content[place : place + 1] = rng.bytes(1)
        elif way == 2:
            content[place : place + int(rng.integers(1, 9))] = rng.bytes(int(rng.integers(0, 12)))
        else:
            form = str(rng.choice(["<H", ">H", "<I", ">I", "<Q", ">Q"]))
            number = LIES[int(rng.integers(len(LIES)))] % (1 << 8 * struct.calcsize(form))
            content[place : place + struct.calcsize(form)] = struct.pack(form, number)
    return bytes(content)


def inside(whole: bytes, name: str, rng: np.random.Generator) -> bytes:
    """Damage of what is compressed, or at random where nothing is."""
    if name.endswith(".gz"):
        return gzip.compress(at_random(gzip.decompress(whole), rng), 1)
    if not name.endswith(".npz"):
        return at_random(whole, rng)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    chosen = list(members)[int(rng.integers(len(members)))]
    way = int(rng.integers(8))
    if way == 0:
        del members[chosen]
    elif way == 1:
        members[at_random(chosen.encode(), rng).decode("latin-1")] = members.pop(chosen)
    else:
        members[chosen] = at_random(members[chosen], rng)
    return zipped(members)


def zipped(members: dict[str, bytes], zeros: int = 0) -> bytes:
    """An archive; behind the content of the last member come megabytes of zeros."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
                for _ in range(zeros if name == list(members)[-1] else 0):
                    member.write(bytes(1 << 20))
    return packed.getvalue()


def wrong_fields(whole: bytes, name: str) -> Iterator[bytes]:
    """Each field of the JSON in a file of each other kind; none where a file has no JSON."""
    if name.endswith(".json"):
        yield from (json.dumps(other).encode() for other in others(json.loads(whole)))
    elif name.endswith(".safetensors"):
        size = int.from_bytes(whole[:8], "little")
        for other in others(json.loads(whole[8 : 8 + size])):
            header = json.dumps(other).encode()
            yield len(header).to_bytes(8, "little") + header + whole[8 + size :]
    elif name == "checkpoint.npz":
        with np.load(io.BytesIO(whole)) as file:
            arrays = dict(file)
        for other in others(json.loads(str(arrays["run"]))):
            packed = io.BytesIO()
            np.savez(packed, **arrays | {"run": np.array(json.dumps(other))})
            yield packed.getvalue()


def others(value: Any) -> Iterator[Any]:
    """A value of JSON with one part, at any depth, of another kind, or missing."""
    yield from WRONG
    if isinstance(value, dict):
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            yield {k + "\x1b[2J" if k == key else k: v for k, v in value.items()}
            yield from ({**value, key: other} for other in others(value[key]))
    elif isinstance(value, list):
        for i in range(len(value)):
            yield from ([*value[:i], other, *value[i + 1 :]] for other in others(value[i]))


def bombs(name: str, whole: bytes) -> Iterator[bytes]:
    """Files that say or unpack to far more than they have."""
    if name.endswith(".gz"):
        zeros = zlib.compressobj(9, wbits=31)
        yield b"".join(zeros.compress(bytes(1 << 20)) for _ in range(1 << 10)) + zeros.flush()
    if name.endswith(".npz"):
        header = io.BytesIO()
        claim = {"descr": "<f8", "fortran_order": False, "shape": (1 << 27,)}
        np.lib.format.write_array_header_1_0(header, claim)
        with zipfile.ZipFile(io.BytesIO(whole)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()}
        for chosen in members:
            yield zipped({**members, chosen: header.getvalue()})
        yield zipped({**members, "more.npy": header.getvalue()}, zeros=1 << 8)
    if name.endswith((".json", ".safetensors")):
        for text in (b"[" * 100_000, b'{"a":' * 100_000, b" " * (1 << 22), b"9" * (1 << 19)):
            yield text if name.endswith(".json") else len(text).to_bytes(8, "little") + text
    if name.endswith((".csv", ".txt")):
        yield b"," * (1 << 22)
        yield b"label,u\n" + b"a," + b"9" * (1 << 22) + b"\n"
        yield b'"' + bytes(1 << 22)
    if name.endswith(".png"):
        size = whole.index(b"IHDR") + 4
        header = b"IHDR" + struct.pack(">II", 40_000, 40_000) + whole[size + 8 : size + 13]
        yield (
            whole[: size - 4] + header + struct.pack(">I", zlib.crc32(header)) + whole[size + 17 :]
        )
