"""The kinds of files: how an undamaged one is written, and who reads it."""

from __future__ import annotations

import importlib.util
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch import data
from nnscratch.commands.run_folder import read_results
from nnscratch.commands.settings import Config
from nnscratch.data.idx import save_idx
from nnscratch.data.picture_files import open_picture


@dataclass(frozen=True)
class Kind:
    """A kind of file: how an undamaged one is written, and who reads it."""

    name: str
    write: Callable[[Path], None]
    read: Callable[[Path], Any]


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
