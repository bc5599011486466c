"""Damaged and hostile files of every kind that is read: python -m tests.damaged_files [INPUTS].

Each is cut at every byte, has bits flipped, bytes replaced, pieces spliced in, sizes that lie, and
fields of JSON of other kinds; what is compressed is also damaged inside, and compressed again, so
that the checksums are right. Each must be read, or refused by a ValueError or OSError that a
terminal shows as it is. The table counts the outcomes, and tells the slowest answer in seconds of
the processor, and by how much the largest memory grew beyond that of the undamaged files.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import multiprocessing
import resource
import struct
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch import data
from nnscratch.commands.run_folder import read_results
from nnscratch.commands.settings import Config
from nnscratch.data.idx import save_idx
from nnscratch.data.picture_files import open_picture

WRONG = [None, True, -1, 0, 2.5, 1e400, 10**30, "", "text\x1b[31m", [], [1], {}, {"a": 1}, [[1, 2]]]
LIES = [0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1]
CUTS = 500  # of a file at most


@dataclass(frozen=True)
class Kind:
    """A kind of file: how an undamaged one is written, and who reads it."""

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]


# What is damaged ---------------------------------------------------------------------------------


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.BatchNorm(4), nn.ReLU(), nn.Linear(4, 2, rng=1))


def trainer(path: Path) -> nn.Trainer:
    made = model()
    optimizer = nn.Adam(made)
    schedule = nn.CosineDecay(optimizer, 9)
    options: dict[str, Any] = {"checkpoint": path, "early_stopping": 3, "progress": False}
    return nn.Trainer(made, nn.SoftmaxCrossEntropy(), optimizer, schedule, **options)


def write_checkpoint(path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(12, 3))
    trainer(path).fit(x, np.arange(12) % 2, 0.25, epochs=2, batch_size=4, rng=0)


def write_npz(path: Path) -> None:
    np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(6, 3)), y=np.arange(6) % 2)


def write_csv(path: Path) -> None:
    lines = [f"{'ab'[k % 2]},{k},{k / 3:.3f}\n" for k in range(12)]
    path.write_text("label,u,v\n" + "".join(lines))


def write_idx(path: Path) -> None:
    save_idx(path, np.random.default_rng(0).integers(0, 9, (6, 2, 2), dtype=np.uint8))
    save_idx(path.with_name("labels-idx1-ubyte"), np.arange(6, dtype=np.uint8) % 2)


def write_cifar(path: Path) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name in [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]:
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = 3073
            archive.addfile(member, io.BytesIO(bytes(3073)))


def write_picture(path: Path) -> None:
    from PIL import Image

    pixels = np.random.default_rng(0).integers(0, 255, (6, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_history(path: Path) -> None:
    history = nn.History()
    for loss in (2.5, 0.1, 0.01):
        history.append(train_loss=loss, train_accuracy=1 - loss / 3, seconds=1.0)
    history.to_csv(path)


def write_results(path: Path) -> None:
    values = {"test_accuracy": 0.5, "test_loss": 1.25, "epochs": 3, "seconds": 1.5}
    path.write_text(json.dumps(values))


def write_onnx(path: Path) -> None:
    from nnscratch.interop import onnx

    onnx.export(model().eval(), path, np.zeros((2, 3), np.float32))


def read_onnx(path: Path) -> Any:
    from nnscratch.interop import onnx

    return onnx.load(path)


def kinds() -> Iterator[Kind]:
    """Those whose packages are there."""
    yield Kind("model.npz", lambda p: nn.save(model(), p), lambda p: nn.load(model(), p))
    yield Kind("architecture.npz", lambda p: nn.save(model(), p), nn.load_model)
    yield Kind("checkpoint.npz", write_checkpoint, lambda p: trainer(p).resume())
    yield Kind("data.npz", write_npz, nn.load_dataset)
    yield Kind("data.csv", write_csv, nn.load_dataset)
    yield Kind("images-idx3-ubyte.gz", write_idx, lambda p: nn.load_dataset(p.parent))
    yield Kind("images-idx3-ubyte", write_idx, nn.load_idx)
    yield Kind(
        "cifar-10-binary.tar.gz",
        write_cifar,
        lambda p: nn.load_dataset("cifar10", root=p.parent),
    )
    for ending in ("png", "jpg", "gif", "webp"):
        yield Kind(f"picture.{ending}", write_picture, open_picture)
    yield Kind("words.txt", lambda p: p.write_text("grüße\n" * 9, "utf-8") and None, data.text)
    yield Kind("config.json", lambda p: Config().write(p.parent), lambda p: Config.read(p.parent))
    yield Kind("results.json", write_results, lambda p: read_results(p.parent))
    yield Kind("history.csv", write_history, nn.History.from_csv)
    if importlib.util.find_spec("safetensors"):
        yield Kind(
            "model.safetensors", lambda p: nn.save(model(), p), lambda p: nn.load(model(), p)
        )
    if importlib.util.find_spec("onnx"):
        yield Kind("model.onnx", write_onnx, read_onnx)


# How ---------------------------------------------------------------------------------------------


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


# What comes of it --------------------------------------------------------------------------------


def outcome(kind: Kind, path: Path) -> str:
    """ "read", the kind of the refusal, or what is wrong with it behind an exclamation mark."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            kind.read(path)
    except (ValueError, OSError) as error:
        shown = all(letter.isprintable() or letter == "\n" for letter in str(error))
        return type(error).__name__ if shown else f"! control characters: {error!r:.150}"
    except BaseException as error:
        return f"! {type(error).__name__}: {error!s:.150}"
    return "read"


def study(kind: Kind, inputs: int, folder: Path, seed: int = 0) -> tuple[Counter[str], float]:
    """(outcomes, processor seconds of the slowest answer)."""
    path, rng, counts, slowest = (
        folder / kind.name,
        np.random.default_rng(seed),
        Counter[str](),
        0.0,
    )
    kind.write(path)
    whole = path.read_bytes()
    for content in islice(chain(bombs(kind.name, whole), damaged(whole, kind.name, rng)), inputs):
        path.write_bytes(content)
        start = time.process_time()
        counts[outcome(kind, path)] += 1
        slowest = max(slowest, time.process_time() - start)
    return counts, slowest


def line(number: int, inputs: int) -> tuple[str, Counter[str]]:
    """The line of a kind, for which this process is there alone; its outcomes."""
    kind = list(kinds())[number]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, kind.name)
        kind.write(path)
        kind.read(path)
        before = peak()
        counts, slowest = study(kind, inputs, Path(folder))
        grown = peak() - before
    wrong = sum(n for what, n in counts.items() if what.startswith("!"))
    refused = counts.total() - counts["read"] - wrong
    told = f"{kind.name:24}{counts.total():7}{counts['read']:7}{refused:9}{wrong:7}"
    return f"{told}{slowest:7.2f} s{grown:+7.0f} MB", counts


def peak() -> float:
    """The largest memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    total, count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, len(list(kinds()))
    every: Counter[str] = Counter()
    print(
        f"{'file':24}{'inputs':>7}{'read':>7}{'refused':>9}{'wrong':>7}{'slowest':>9}{'memory':>10}"
    )
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn, max_tasks_per_child=1) as pool:
        for told, counts in pool.map(line, range(count), [total // count] * count):
            print(told, flush=True)
            for what, n in counts.items():
                if what.startswith("!"):
                    print(f"    {n} {what}")
            every += counts
    print(f"{every.total()} inputs: " + ", ".join(f"{n} {what}" for what, n in every.items()))


if __name__ == "__main__":
    main()
