"""The settings of a run, each named once: an attribute here, a key of config.json, an option.

`setting_options` makes the options of them.

A setting that belongs to the chosen model or optimizer is None until that is known; then it has
the default of the choice's signature, and where the choice does not take it, it is refused.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from nnscratch.commands.choices import (
    CHOICES,
    PREFERRED_IN_DEEP_NETS,
    SHALLOW,
    fitting,
    is_text,
    takers,
)
from nnscratch.commands.options import AMOUNT, COUNT, DATA, NUMBER, RATE, SHARE, flag, shown
from nnscratch.commands.own_model import MODEL
from nnscratch.data.catalogue import source_of
from nnscratch.data.datasets import Dataset, is_path
from nnscratch.data.own import badly_scaled
from nnscratch.data.sources import Source
from nnscratch.files import atomic_write, read_text
from nnscratch.machine import machine

LARGEST = 1 << 20  # bytes of a config.json
# Recorded beside the settings
MACHINE = ("versions", "threads", "processor", "products", "kernels")


def setting(
    default: Any = None,
    help: str = "",
    kind: Callable[[str], Any] = str,
    group: str = "training",
    of: str = "",
    **options: Any,
) -> Any:
    """A field of `Config`: its default, what --help says, the kind of its value.

    `of` names the field, "model" or "optimizer", whose choice takes the setting; the other
    options are argparse's.
    """
    details = {"help": help, "kind": kind, "group": group, "of": of, "options": options}
    return field(default=default, metadata=details)


@dataclass(frozen=True)
class Config:
    """The settings of a run.

    Raises
    ------
    ValueError
        A choice is unknown, or an option is given that does nothing for the chosen model or
        optimizer.

    Examples
    --------
    >>> Config(optimizer="adam").learning_rate
    0.001
    >>> Config(model="cnn", hidden=(64,))
    Traceback (most recent call last):
    ValueError: --hidden does nothing for cnn; it is for mlp
    """

    data: str = setting(
        "digits",
        "name of a data set, downloaded if missing, see nnscratch datasets; or the path of one's "
        "own: an .npz or .csv file, a folder of IDX files or of one folder of pictures per class",
        DATA,
        "data and model",
        metavar="NAME|PATH",
    )
    label: str | None = setting(
        None,
        "the column of a CSV file that holds the labels",
        group="data and model",
        metavar="NAME",
    )
    root: str | None = setting(
        None, "the folder that holds the data's files", group="data and model", metavar="DIR"
    )
    model: str = setting(
        "mlp",
        "a network, or the code of one's own, as print(model) shows it",
        MODEL,
        "data and model",
        metavar=f"{{{','.join(sorted(CHOICES['model']))}}}|TEXT",
    )
    hidden: tuple[int, ...] | None = setting(
        None, "units per layer", COUNT, "data and model", "model", nargs="+", metavar="N"
    )
    activation: str | None = setting(None, group="data and model", of="model")
    dropout: float | None = setting(
        None,
        f"share dropped; none unless given where there are more than {SHALLOW} hidden layers",
        SHARE,
        "data and model",
        "model",
        metavar="P",
    )
    optimizer: str = setting("sgd")
    learning_rate: float | None = setting(
        None,
        f"{PREFERRED_IN_DEEP_NETS['sgd']['learning_rate']:g} for sgd unless given where there are "
        f"more than {SHALLOW} hidden layers",
        RATE,
        of="optimizer",
        metavar="R",
    )
    momentum: float | None = setting(None, "", SHARE, of="optimizer", metavar="M")
    weight_decay: float | None = setting(None, "", AMOUNT, of="optimizer", metavar="D")
    schedule: str = setting(
        "constant", "of the learning rate; step: a tenth after each third; cosine: down to 0"
    )
    epochs: int = setting(30, "", COUNT, metavar="N")
    batch_size: int = setting(32, "", COUNT, metavar="N")
    validation: float = setting(
        0.1, "share of the training data to validate on, 0 for none", SHARE, metavar="P"
    )
    early_stopping: int | None = setting(
        None,
        "end after so many epochs without a lower validation loss, and keep the best weights",
        COUNT,
        metavar="N",
    )
    clip_norm: float | None = setting(
        None, "shorten gradients that are longer than this", RATE, metavar="LENGTH"
    )
    seed: int = setting(0, "", NUMBER, metavar="N")
    shift: int = setting(0, "move images by up to so many", NUMBER, metavar="PIXELS")
    flip: bool = setting(False, "mirror every other image, at random", bool)
    shape: tuple[int, ...] | None = setting(None, "", COUNT, "", nargs="+")
    class_names: tuple[str, ...] | None = setting(None, "", str, "", nargs="+")
    normalize: bool = setting(False, "", bool, "")

    def __post_init__(self) -> None:
        if self.early_stopping and not self.validation:
            raise ValueError("--early-stopping looks at the validation; leave out --validation 0")
        for each in fields(self):
            value, of = getattr(self, each.name), each.metadata["of"]
            if of:
                object.__setattr__(self, each.name, _of_choice(each.name, value, of, self))
            value = getattr(self, each.name)
            own = each.name == "model" and is_text(value)
            known_value = value is None or value in CHOICES.get(each.name, (value,)) or own
            if not known_value:
                known = ", ".join(sorted(CHOICES[each.name]))
                raise ValueError(f"unknown {each.name} {value!r}; there is {known}")

    @property
    def source(self) -> Source:
        """What the data are: a sample's shape, the classes."""
        if not is_path(self.data):
            return source_of(self.data)
        if self.shape is None or self.class_names is None:
            raise ValueError(f"{self.data} was never read; its samples and classes are not known")
        name = Path(self.data).stem or "data"
        return Source(name, "one's own", self.shape, 0, 0, self.class_names)

    def of(self, data: Dataset) -> Config:
        """The same settings, which know one's own data.

        Raises
        ------
        ValueError
            They knew other data, of which the path now holds no more.
        """
        if not is_path(self.data):
            return self
        shape, names = data.x_train.shape[1:], data.class_names
        if self.shape is None:
            uneven = badly_scaled(data.x_train) and not is_text(self.model)
            return replace(self, shape=shape, class_names=names, normalize=uneven)
        for before, now in ((self.shape, shape), (self.class_names, names)):
            if before is not None and before != now:
                raise ValueError(
                    f"{self.data} has changed since this run: it had {shown(before)}, and has "
                    f"{shown(now)} now; train anew, or put back what was there"
                )
        return self

    def checked(self) -> Config:
        """The same settings; ValueError for a --root where no data set is looked for."""
        if self.root is not None and (is_path(self.data) or not source_of(self.data).files):
            raise ValueError(
                f"--root is the folder of downloaded files, which {self.data} has none of; leave "
                "it out"
            )
        return self

    def write(self, folder: Path, new: bool = False) -> None:
        """Write config.json; FileExistsError where a new one is asked for and there is one."""
        with atomic_write(folder / "config.json", new) as file:
            content = asdict(self) | _recorded_now()
            file.write(json.dumps(content, indent=2).encode() + b"\n")

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Config:
        """Read config.json; ValueError where it is missing or not ours."""
        path = Path(folder, "config.json")
        try:
            values = json.loads(read_text(path, LARGEST))
            if not isinstance(values, dict):
                raise ValueError("it is no table of names and values")
            given = {name: values[name] for name in values if name not in MACHINE}
            return cls(**{name: _from_json(name, value) for name, value in given.items()})
        except (FileNotFoundError, NotADirectoryError) as error:
            raise type(error)(
                f"{folder} holds no run: {path} is missing; name the --out folder of a run"
            ) from None
        except (ValueError, RecursionError) as error:
            refuse_empty(path)
            names = ", ".join(field.name for field in fields(cls))
            raise ValueError(
                f"{path} is not the settings of a run ({error}); it has {names}"
            ) from None


def _recorded_now() -> dict[str, Any]:
    import nnscratch

    found = machine()
    found["versions"] = {"nnscratch": nnscratch.__version__} | found["versions"]
    return found


def refuse_empty(path: Path) -> None:
    """A ValueError for an empty config.json, which older versions left where they were killed."""
    if path.is_file() and not path.stat().st_size:
        raise ValueError(
            f"{path} is empty, of a run that was killed as it began; remove the file and train anew"
        ) from None


def recorded(folder: Path) -> dict[str, str]:
    """On what a run was computed: versions, threads and processor, as its config.json says."""
    values = json.loads(read_text(folder / "config.json", LARGEST))
    found = {name: values[name] for name in MACHINE if name in values}
    versions = found.pop("versions", {})
    words = {name: str(value) for name, value in found.items()}
    if isinstance(versions, dict):
        words["versions"] = ", ".join(f"{name} {number}" for name, number in versions.items())
    return words


def _of_choice(name: str, value: Any, of: str, config: Config) -> Any:
    """A setting of the chosen model or optimizer: as given, else its default."""
    choice, known = getattr(config, of), takers(of, name)
    if choice in known:
        return fitting(choice, name, known[choice], config.hidden) if value is None else value
    own = of == "model" and is_text(choice)
    if value is not None and (own or choice in CHOICES[of]):
        choice = "a model given as text" if own else choice
        others = " and ".join(known)
        raise ValueError(f"{flag(name)} does nothing for {choice}; it is for {others}")
    return value


def _from_json(name: str, value: Any) -> Any:
    """A value as its option would have it; ValueError where it is of another kind."""
    known = {each.name: each for each in fields(Config)}
    if name not in known:
        raise ValueError(f"it has a key {name!r}")
    details = known[name].metadata
    kind, several = details["kind"], "nargs" in details["options"]
    kind = str if kind in (DATA, MODEL) else kind
    if value is None and known[name].default is None:
        return None
    values = value if several and isinstance(value, list) and value else [value]
    if several != isinstance(value, list):
        raise ValueError(f"its {name} is {value!r}")
    for one in values:
        expected = kind if kind in (str, bool) else (int, float)
        if not isinstance(one, expected) or isinstance(one, bool) != (kind is bool):
            raise ValueError(f"its {name} is {value!r}")
    if kind in (str, bool):
        return tuple(value) if several else value
    try:
        found = [kind(repr(one)) for one in values]
    except argparse.ArgumentTypeError as error:
        raise ValueError(f"its {name}: {error}") from None
    return tuple(found) if several else found[0]
