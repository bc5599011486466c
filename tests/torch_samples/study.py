"""Every sample of every operator and module that nnscratch has a word for."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from tests.torch_samples.functional import FUNCTIONAL
from tests.torch_samples.modules import MODULES, said_module
from tests.torch_samples.operators import OPERATORS
from tests.torch_samples.said import Said, Tally, Without, torchs, tried

SAYINGS = OPERATORS | FUNCTIONAL
NAMES = [*SAYINGS, *MODULES]
TOLERANCE = 1e-9
TOLERANCES = {"nn.functional.hardsigmoid": 1e-7}  # torch has 1/6 in float32 there


def tally(name: str) -> Tally:
    """Try all samples of one operator, "sin", or module, "nn.Linear".

    Raises
    ------
    AssertionError
        A sample gives something else than in torch, with the sample's number and text.
    """
    done = Tally()
    samples = module_samples(name) if name in MODULES else operator_samples(name)
    for number, (text, saying) in enumerate(samples):
        try:
            said, expected = saying()
            tried(said, expected, TOLERANCES.get(name, TOLERANCE))
        except Without as reason:
            done.without[str(reason)] += 1
        except (ValueError, TypeError) as error:
            done.refused[str(error)] += 1
        except AssertionError as error:
            raise AssertionError(f"{name}, sample {number}: {text}\n{error}") from error
        else:
            done.agreed += 1
    return done


Sample = tuple[str, Callable[[], tuple[Said, Any]]]


def operator_samples(name: str) -> Iterator[Sample]:
    torch, operators, _ = torchs()
    for operator in operators:
        if operator.name != name:
            continue
        torch.manual_seed(0)
        for sample in operator.sample_inputs("cpu", torch.float64, requires_grad=True):

            def saying(sample: Any = sample, operator: Any = operator) -> tuple[Said, Any]:
                said = SAYINGS[name](sample.input, *sample.args, **sample.kwargs)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # torch's own, of its own samples
                    return said, operator(sample.input, *sample.args, **sample.kwargs)

            yield text_of(sample.input, sample.args, sample.kwargs), saying


def module_samples(name: str) -> Iterator[Sample]:
    torch, _, modules = torchs()
    for module in (m for m in modules if m.name == name):
        for training in (True, False):
            torch.manual_seed(0)
            inputs = module.module_inputs_func(
                module, "cpu", torch.float64, requires_grad=True, training=training
            )
            for sample in inputs:

                def saying(
                    sample: Any = sample, module: Any = module, training: bool = training
                ) -> tuple[Said, Any]:
                    made, given = sample.constructor_input, sample.forward_input
                    there = module.module_cls(*made.args, **made.kwargs).to(torch.float64)
                    there.train(training)
                    said = said_module(there, *given.args, **given.kwargs)
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")
                        return said, there(*given.args, **given.kwargs)

                yield text_of(name, sample.constructor_input, sample.forward_input), saying


def text_of(*parts: Any) -> str:
    """The sample in a line, tensors by their shape."""
    torch, _, _ = torchs()

    def short(value: Any) -> str:
        if isinstance(value, torch.Tensor):
            return f"tensor{tuple(value.shape)}"
        if isinstance(value, dict):
            return "{" + ", ".join(f"{k}={short(v)}" for k, v in value.items()) + "}"
        if isinstance(value, list | tuple):
            return "(" + ", ".join(map(short, value)) + ")"
        if hasattr(value, "args"):
            return short(value.args) + short(value.kwargs)
        return repr(value)

    return " ".join(map(short, parts))
