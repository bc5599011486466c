"""How an object is used: found out once by `discovery` and `choosing`, shared by all copies."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nnscratch.gradient_check.calling import Call
from nnscratch.gradient_check.places import Place

__all__ = ["Manner", "NotUnderstood"]


class NotUnderstood(ValueError):
    """The object follows a convention that is not known."""


@dataclass
class Manner:
    """How an object is used.

    Attributes
    ----------
    probing : bool
        Whether it is not yet known what of the returned things are outputs.
    call : Call
    places : dict of str to Place
        Of the parameters, in the order in which gradients are returned.
    is_loss : bool or None
        Whether only the first input has a gradient; None until that is known.
    target_first : bool
        Whether forward takes the target before the prediction; the inputs are kept the other way.
    lists : bool
        Whether it computes with lists of numbers, or matrices, instead of arrays.
    structure : list
        The caller's inputs, for the nesting of their arrays.
    updates : dict of str to float
        The parameters that backward itself changes, with its rate.
    trained : set of str
        All parameters that backward changes and hands over no gradient of.
    rate : float
        Given to a backward that takes one.
    options : dict
        Given to forward by name: training=True, where backward needs it.
    stateful : bool
        Whether each call goes on from the one before, and what clears it cannot be called.
    goes_on : bool
        Whether a second forward gives another y: then each starts from the first state.
    leaves_output : bool or None
        Whether forward returns nothing and leaves y on the object; None until it was called.
    left : dict of str to Place
        Where gradients are that no name tells.
    listed : set of str
        The parameters that the object itself calls so.
    clearing : list of str
        Methods that clear gradients.
    pairs : list of Place
        Of the gradients in objects with value and grad.
    global_state : bool
        Whether forward draws from the generators of all modules.
    """

    probing: bool = True
    call: Call = field(default_factory=Call)
    places: dict[str, Place] = field(default_factory=dict)
    is_loss: bool | None = None
    target_first: bool = False
    lists: bool = False
    structure: list[Any] | None = None
    updates: dict[str, float] = field(default_factory=dict)
    trained: set[str] = field(default_factory=set)
    rate: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    stateful: bool = False
    goes_on: bool = False
    leaves_output: bool | None = None
    left: dict[str, Place] = field(default_factory=dict)
    listed: set[str] = field(default_factory=set)
    clearing: list[str] = field(default_factory=list)
    pairs: list[Place] = field(default_factory=list)
    global_state: bool = False
