"""What has to be the same on all ranks, in a few words each: data by checksum, settings as text."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.data.images import samples_of
from nnscratch.training.samples import Batch, Samples, Stream

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

LOOKED_AT = 1 << 28  # bytes of an array; of a larger one evenly spaced rows
BLOCK = 1 << 20
SHOWN = 100  # characters of what differs


def fingerprints(
    trainer: Trainer, samples: Samples | Stream, validation: Any, epochs: int, batch_size: int
) -> dict[str, str]:
    """Each thing that must not differ, by the name under which its user knows it."""
    model, optimizer, schedule = trainer.model, trainer.optimizer, trainer.schedule
    told: dict[str, Any] = {
        "model": _plain(model),
        "parameters": [f"{name} {a.dtype}{a.shape}" for name, a in model.params.items()],
        "trained parameters": model.trained,
        "loss": _plain(trainer.loss),
        "optimizer": [type(optimizer).__name__, optimizer.made_with, optimizer.groups],
        "schedule": schedule and [type(schedule).__name__, schedule.settings],
        "validation": _told(validation),
        "epochs": epochs,
        "batch_size": batch_size,
        "augment": _plain(trainer.augment),
        "metrics": list(trainer.metrics),
        "average": _plain(trainer.average),
        "checkpoint": trainer.checkpoint is not None,
    }
    told |= {
        name: getattr(trainer, name)
        for name in ("clip_norm", "early_stopping", "checkpoint_every", "workers", "diagnose")
    }
    if isinstance(samples, Samples):
        told |= {"x": _told(samples.x), "y": _told(samples.y)}
        told["sample_weight"] = _told(samples.weight)
    else:
        told["x"] = "minibatches"
    return {name: value if isinstance(value, str) else str(value) for name, value in told.items()}


def compare(every: Sequence[dict[str, str]]) -> None:
    """A ValueError, the same on all ranks, that names what differs and how."""
    here = every[0]
    for rank, there in enumerate(every):
        if wrong := [name for name in {**here, **there} if here.get(name) != there.get(name)]:
            shown = "; ".join(
                f"{name} is {_short(here.get(name))} on rank 0 and {_short(there.get(name))} on "
                f"rank {rank}"
                for name in wrong
            )
            raise ValueError(f"the ranks differ: {shown}; pass the same to fit on every rank")


def checksum(batch: Batch) -> str:
    """One for all arrays of a minibatch."""
    return " ".join(map(_told, batch[:3]))


def digest(array: Any) -> str:
    """dtype, shape and checksum of an array, or of evenly spaced rows of a very large one.

    >>> digest(np.zeros((2, 3))) == digest(np.zeros((2, 3)))
    True
    >>> digest(np.zeros((2, 3)))[:15]
    'float64(2, 3) #'
    """
    pixels = getattr(array, "pixels", array)  # those of Images stay bytes
    found = blake2b(digest_size=6)
    if pixels.ndim == 0:
        found.update(pixels.tobytes())
    else:
        step = 1 + pixels.nbytes // LOOKED_AT
        rows = max(1, BLOCK * len(pixels) // max(pixels.nbytes, 1)) * step
        for start in range(0, len(pixels), rows):
            found.update(np.ascontiguousarray(pixels[start : start + rows : step]).data)
    return f"{array.dtype}{array.shape} #{found.hexdigest()}"


def _told(given: Any) -> str:
    """Arrays by their digests, a few plain values as they are, of other things the kind."""
    if given is None or isinstance(given, float):
        return str(given)
    if isinstance(given, (tuple, list)):
        return ", ".join(map(_told, given))
    if callable(given) or isinstance(given, Stream):
        return "minibatches"
    if isinstance(given, Samples):
        return ", ".join(map(_told, (given.x, given.y, given.weight)))
    try:
        return digest(samples_of(given))
    except (TypeError, ValueError):
        return type(given).__name__


def _plain(thing: Any) -> str:
    """The code of a thing, or its name where that would hold a place in memory."""
    text = repr(thing)
    if " at 0x" not in text:
        return text
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def _short(text: str | None) -> str:
    text = "not there" if text is None else text
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
