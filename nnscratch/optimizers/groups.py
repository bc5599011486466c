"""Settings for some of the parameters: which names a pattern fits, and what counts for each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from nnscratch.kinds import checks_kinds

__all__ = ["Scaled"]

Groups = Mapping[str, Mapping[str, Any]]

_BELOW_ONE = ("momentum", "beta1", "beta2", "decay")


class Scaled:
    """A share of the optimizer's own setting, which a schedule may change.

    Parameters
    ----------
    share : float >= 0

    Examples
    --------
    A body that learns ten times more slowly than the head, under any schedule:

    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    >>> optimizer = nn.SGD(model, 0.5, groups={"0.*": {"learning_rate": Scaled(0.1)}})
    """

    @checks_kinds
    def __init__(self, share: float) -> None:
        self.share = _number("Scaled", "share", share)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaled) and other.share == self.share

    def __hash__(self) -> int:
        return hash((Scaled, self.share))

    def __repr__(self) -> str:
        return f"Scaled({self.share:g})"


def check_settings(optimizer: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, numbers as floats; ValueError for one that is out of its range."""
    return {
        name: value if isinstance(value, bool) else _number(optimizer, name, value)
        for name, value in settings.items()
    }


def asked_for(groups: Groups | None, setting: str) -> bool:
    """Whether a group switches something on that the optimizer leaves off."""
    every = groups.values() if isinstance(groups, Mapping) else ()
    return any(bool(of.get(setting)) for of in every if isinstance(of, Mapping))


def overrides_by_name(
    optimizer: str, groups: Groups, names: Iterable[str], settings: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """For each parameter that a pattern fits: its own settings, those of later patterns first.

    Raises
    ------
    ValueError
        A pattern fits no parameter, or a setting is none of the optimizer's or out of range.
    """
    names = list(names)
    found: dict[str, dict[str, Any]] = {}
    for pattern, changes in groups.items():
        fitting = [name for name in names if fnmatchcase(name, pattern)]
        if not fitting:
            raise ValueError(
                f"{optimizer}: the group {pattern!r} fits no parameter; "
                f"there are {', '.join(names)}"
            )
        if not isinstance(changes, Mapping) or (unknown := changes.keys() - settings.keys()):
            wrong = sorted(unknown) if isinstance(changes, Mapping) else changes
            raise ValueError(
                f"the group {pattern!r} expected a dict of settings of {optimizer}, which are "
                f"{', '.join(settings)}, received {wrong}"
            )
        scaled = {name: value for name, value in changes.items() if isinstance(value, Scaled)}
        checked = check_settings(optimizer, {k: v for k, v in changes.items() if k not in scaled})
        for name in fitting:
            found.setdefault(name, {}).update(checked | scaled)
    return found


def resolved(changes: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A group's settings as numbers: a share of the optimizer's own where they are `Scaled`."""
    return {
        name: value.share * settings[name] if isinstance(value, Scaled) else value
        for name, value in changes.items()
    }


def _number(owner: str, name: str, value: Any) -> float:
    """A finite number of at least 0, and below 1 where the formula needs that."""
    try:
        number = float(value) if not isinstance(value, (str, bool)) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not (number >= 0 and math.isfinite(number)):
        raise ValueError(f"{owner} expected {name} >= 0, received {value!r}")
    if name in _BELOW_ONE and number >= 1:
        raise ValueError(f"{owner} expected {name} in [0, 1), received {value!r}")
    return number
