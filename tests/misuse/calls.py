"""Right calls of losses, optimizers, training and graphs."""

from __future__ import annotations

import inspect
import operator
from collections.abc import Iterator

import numpy as np

import nnscratch as nn
from tests.loss_cases import problem
from tests.misuse.call import Call, by_place, call, made, others
from tests.misuse.calls_of_functions import functions
from tests.misuse.calls_of_interop import interop
from tests.misuse.calls_of_layers import constructors, passes
from tests.misuse.calls_of_pictures import pictures
from tests.misuse.things import (
    FOLDER,
    SKIPPED,
    history,
    labels,
    model,
    normal,
    optimizer,
    parts,
    saved,
)


def losses() -> Iterator[Call]:
    for name in (
        "MSELoss",
        "L1Loss",
        "HuberLoss",
        "BCEWithLogits",
        "SoftmaxCrossEntropy",
        "NLLLoss",
        "HingeLoss",
    ):
        kind = getattr(nn, name)
        yield Call(name, kind, others(kind, {}))
        prediction, target = problem(name)
        arguments = {
            "prediction": made(prediction),
            "target": made(target),
            "weight": made(np.ones(7)),
        }
        yield Call(name, lambda kind=kind, **a: kind().forward(**a), arguments)

        def backward(dy, kind=kind, pair=(prediction, target)):
            loss = kind()
            loss.forward(*pair)
            return loss.backward(dy)

        yield Call(f"{name}.backward", backward, {"dy": made(1.0)})
    target = np.array([[1, 2], [1, 1]]), np.array([2, 1]), np.array([6, 6])
    yield call(
        "CTCLoss", lambda **a: nn.CTCLoss().forward(**a), prediction=normal(2, 6, 4), target=target
    )
    for i, part in enumerate(("labels", "label_lengths", "score_lengths")):

        def of_part(value, i=i):
            return nn.CTCLoss().forward(
                normal(2, 6, 4), tuple(value if j == i else t for j, t in enumerate(target))
            )

        yield Call(f"CTCLoss {part}", of_part, {"value": made(target[i])})
    yield Call("CTCLoss", nn.CTCLoss, others(nn.CTCLoss, {}))


def optimizers() -> Iterator[Call]:
    for name in ("SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta"):
        kind = getattr(nn, name)
        yield Call(name, kind, {"model": model, **others(kind, {"model"})})

        def step(grads, kind=kind):
            kind(model()).step(grads)

        yield Call(
            f"{name}.step", step, {"grads": lambda: {k: v * 1 for k, v in model().params.items()}}
        )

        def one(grad, kind=kind):
            m = model()
            kind(m).step({**m.params, "0.W": grad})

        yield Call(f"{name}.step 0.W", one, {"grad": made(normal(4, 3))})
    yield by_place("Scaled", nn.Scaled, share=0.1)
    plans = {
        "StepDecay": {"every": 2},
        "CosineDecay": {"steps": 9},
        "ExponentialDecay": {"factor": 0.9},
        "Milestones": {"steps": [2, 3]},
        "Polynomial": {"steps": 9},
        "OneCycle": {"steps": 9, "peak": 0.5},
        "CosineRestarts": {"period": 3},
        "WarmupCosine": {"warmup": 2, "steps": 9},
        "Custom": {"function": lambda: abs},
        "ReduceOnPlateau": {},
    }
    for name, needed in plans.items():
        kind = getattr(nn, name)
        known = {"optimizer", *needed}
        arguments = {"optimizer": optimizer, **needed}
        found = call(name, kind, **arguments)
        found.arguments |= others(kind, known)
        yield found
    yield by_place(
        "ReduceOnPlateau.step", lambda value: nn.ReduceOnPlateau(optimizer()).step(value), value=1.0
    )


def training() -> Iterator[Call]:
    def trainer(**changed):
        m, loss, o = parts()
        given = {"model": m, "loss": loss, "optimizer": o, "progress": False}
        return nn.Trainer(**given | changed)

    for name in inspect.signature(nn.Trainer).parameters:
        if name not in SKIPPED:
            default = inspect.signature(nn.Trainer).parameters[name].default
            value = made(None if default is inspect.Parameter.empty else default)

            def built(value, name=name):
                return trainer(**{name: value}).fit(
                    normal(4, 3), labels(), (normal(4, 3), labels()), 1
                )

            yield Call(f"Trainer {name}", built, {"value": value})
    given = {
        "x": made(normal(4, 3)),
        "y": labels,
        "validation": lambda: (normal(4, 3), labels()),
        "epochs": made(1),
        "batch_size": made(2),
        "rng": made(0),
        "sample_weight": made(np.ones(4)),
    }
    yield Call("fit", lambda **a: trainer().fit(**a), given)
    yield call("resume", lambda path: trainer().resume(path), path=saved)
    yield Call("EarlyStopping", nn.EarlyStopping, others(nn.EarlyStopping, {}))
    yield call("WeightAverage", nn.WeightAverage, decay=0.9, start=1)
    yield Call("LogLine", nn.LogLine, others(nn.LogLine, {}))
    yield call("History.append", lambda **a: nn.History().append(**a), train_loss=1.0, seconds=2.0)
    yield by_place("History.to_csv", lambda path: history().to_csv(path), path=FOLDER / "h.csv")
    yield by_place(
        "History.from_csv",
        nn.History.from_csv,
        path=lambda: (history().to_csv(FOLDER / "g.csv"), FOLDER / "g.csv")[1],
    )
    yield by_place("History", lambda column: history()[column], column="train_loss")
    yield call(
        "evaluate",
        nn.evaluate,
        model=model,
        loss=nn.SoftmaxCrossEntropy(),
        x=normal(4, 3),
        y=labels,
        batch_size=2,
        sample_weight=np.ones(4),
    )
    yield call("predict", nn.predict, model=model, x=normal(4, 3), batch_size=2)
    yield call(
        "update_batch_norm",
        nn.update_batch_norm,
        model=lambda: nn.Sequential(nn.BatchNorm(3)),
        x=normal(4, 3),
        batch_size=2,
    )


def range_test() -> Iterator[Call]:
    def tried(**changed):
        m, loss, o = parts()
        given = {"model": m, "loss": loss, "optimizer": o, "x": normal(4, 3), "y": labels()}
        return nn.learning_rate_range_test(**given | {"steps": 10, "batch_size": 2} | changed)

    for name, parameter in inspect.signature(nn.learning_rate_range_test).parameters.items():
        default = None if parameter.default is parameter.empty else parameter.default
        yield Call(
            f"learning_rate_range_test {name}",
            lambda value, name=name: tried(**{name: value}),
            {"value": made(default)},
        )


def graphs() -> Iterator[Call]:
    def graph(**given):
        x = nn.Input("x")
        return nn.Graph(**{"inputs": [x], "output": nn.ReLU()(x)} | given)

    yield by_place("Input", nn.Input, name="x")
    yield call("Graph inputs", lambda inputs: graph(inputs=inputs), inputs=lambda: None)
    yield call("Graph output", lambda output: graph(output=output), output=lambda: None)
    yield call(
        "Graph outputs", lambda outputs: graph(outputs=outputs, output=None), outputs=lambda: None
    )
    yield call("a node", lambda name: nn.ReLU()(nn.Input("x"), name=name), name="relu")
    signs = operator.add, operator.mul, operator.truediv, operator.matmul, operator.getitem
    for sign in signs:
        yield call("nodes", lambda other, sign=sign: sign(nn.Input("x"), other), other=1)


def every_call() -> list[Call]:
    kinds = (
        constructors,
        passes,
        losses,
        optimizers,
        training,
        range_test,
        graphs,
        functions,
        pictures,
        interop,
    )
    return [found for kind in kinds for found in kind()]
