"""Who asks for something by another library's word is told ours.

    nn.Dense             `unknown_name`, from a module's `__getattr__`
    model.fit(x, y)      a `Word` on the class, put there by `answers`
    nn.Adam(m, lr=0.1)   `check_keywords`, before `__init__` is called

Nothing of it runs before something is missing.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from dis import opmap
from typing import Any, NoReturn, TypeVar

from nnscratch.words import ADVICE, KEYWORDS, NAMES

C = TypeVar("C", bound=type)


def unknown_name(
    module: str, name: str, known: Iterable[str], words: Mapping[str, str] = NAMES
) -> NoReturn:
    """Raise the error of a name that a module does not have, with the name that was meant.

    Examples
    --------
    >>> unknown_name("nnscratch", "Dense", ["Linear"])
    Traceback (most recent call last):
    AttributeError: nnscratch has no 'Dense'; here it is nn.Linear(in_features, out_features), with
    the activation as a layer behind it
    >>> unknown_name("nnscratch", "linaer", ["Linear", "ReLU"])
    Traceback (most recent call last):
    AttributeError: nnscratch has no 'linaer'; did you mean Linear?
    """
    text = f"{module} has no {name!r}{meant(name, known, words)}"
    # Of `from nnscratch import Dense` an AttributeError would leave no word.
    frame = sys._getframe(2)
    importing = frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == opmap["IMPORT_FROM"]
    raise ImportError(text) if importing else AttributeError(text)


def meant(name: str, known: Iterable[str], words: Mapping[str, str] = {}) -> str:
    """What was probably meant by a name, as the end of a message; "" where nothing is near."""
    if name in words:
        return f"; {said(words[name])}"
    plain = {each.lower().replace("_", ""): each for each in known}
    close = get_close_matches(name.lower().replace("_", ""), plain, 1, 0.7)
    return f"; did you mean {plain[close[0]]}?" if close else ""


def said(ours: str) -> str:
    """What is here instead, as a clause."""
    return f"it is {ours}" if ours.startswith("left out") else f"here it is {ours}"


class Word:
    """An attribute by another library's word, which an object does not have.

    One of an instance's own has precedence, and that of a subclass.
    """

    def __init__(self, name: str, ours: str) -> None:
        self.name, self.ours = name, ours

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"{owner.__name__} has no {self.name!r}; {said(self.ours)}")


class SetWord(Word):
    """One that can not even be set: it would do nothing, without a word."""

    def __set__(self, instance: object, value: Any) -> NoReturn:
        self.__get__(instance, type(instance))


def answers(words: Mapping[str, str], to_set: Mapping[str, str] | None = None) -> Callable[[C], C]:
    """A class decorator: objects of the class, and its `__init__`, know other libraries' words.

    Parameters
    ----------
    words : mapping of str to str
        Attributes by others' names, and what there is here.
    to_set : mapping of str to str, optional
        Those that must not be set either.
    """

    def put_on(cls: C) -> C:
        for name, ours in words.items():
            setattr(cls, name, Word(name, ours))
        for name, ours in (to_set or {}).items():
            setattr(cls, name, SetWord(name, ours))
        hidden = {*words, *(to_set or {})}

        kind: Any = cls

        def __dir__(self: Any) -> list[str]:
            return [n for n in object.__dir__(self) if n not in hidden or _has(self, n)]

        def __new__(made: Any, *arguments: Any, **keywords: Any) -> Any:
            if keywords:
                check_keywords(made, keywords)
            above = super(kind, made).__new__
            if above is not object.__new__:
                return above(made, *arguments, **keywords)
            if arguments and made.__init__ is object.__init__:
                raise TypeError(f"{made.__name__}() takes no arguments")
            return object.__new__(made)

        # What a class tells of itself is the signature of the first of both that there is.
        has_its_own = "__init__" in vars(cls)
        signature = inspect.signature(kind.__init__) if has_its_own else NOTHING
        __new__.__signature__ = signature  # type: ignore[attr-defined]  # inspect reads it
        kind.__dir__, kind.__new__ = __dir__, staticmethod(__new__)
        return cls

    return put_on


NOTHING = inspect.Signature([inspect.Parameter("cls", inspect.Parameter.POSITIONAL_ONLY)])


def check_keywords(function: Callable[..., Any], keywords: Iterable[str]) -> None:
    """Raise the TypeError of a keyword that a class or function does not have, with ours.

    Examples
    --------
    >>> def fit(x, *, learning_rate=0.1, epochs=10): ...
    >>> check_keywords(fit, ["epochs"])
    >>> check_keywords(fit, ["lr"])
    Traceback (most recent call last):
    TypeError: fit has no keyword 'lr'; here it is learning_rate
    >>> check_keywords(fit, ["epoch"])
    Traceback (most recent call last):
    TypeError: fit has no keyword 'epoch'; did you mean epochs?
    """
    try:
        known = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):  # of something compiled
        return
    if not any(each.kind is each.VAR_KEYWORD for each in known):
        refuse_keywords(function, keywords)


def refuse_keywords(function: Callable[..., Any], keywords: Iterable[str]) -> None:
    """The same for a function that gathers those that it does not have."""
    every = inspect.signature(function).parameters.values()
    known = [each.name for each in every if each.kind is not each.VAR_KEYWORD]
    for name in keywords:
        if name not in known:
            where = getattr(function, "__name__", str(function))
            raise TypeError(f"{where} has no keyword {name!r}{_instead(name, known)}")


def _instead(name: str, known: list[str]) -> str:
    """Which of the keywords that there are was meant, or what to do instead."""
    ours = next((word for word in KEYWORDS.get(name, ()) if word in known), None)
    if ours is not None:
        return f"; here it is {ours}"
    if name in ADVICE:
        return f"; {ADVICE[name]}"
    return meant(name, known) or (f"; it has {', '.join(known)}" if known else "; it takes none")


def _has(thing: object, name: str) -> bool:
    """Whether an object or its class has more under a name than one of these words."""
    classes = (vars(each)[name] for each in type(thing).__mro__ if name in vars(each))
    return name in vars(thing) or not isinstance(next(classes, None), Word)
