"""Who asks by another library's word is told ours, and what is advised exists."""

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import words
from nnscratch.asking import Word
from nnscratch.commands.options import flag
from nnscratch.commands.setting_options import offered
from nnscratch.optimizers.schedules import Schedule

ATTRIBUTES = {
    "layers": {**words.OF_LAYERS, **words.SET_ON_LAYERS},
    "losses": words.OF_LOSSES,
    "optimizers": {**words.OF_OPTIMIZERS, **words.SET_ON_OPTIMIZERS},
    "trainers": words.OF_TRAINERS,
    "histories": words.OF_HISTORIES,
    "schedules": words.OF_SCHEDULES,
}


def things():
    """An object of each kind that knows words."""
    model = nn.Sequential(nn.Linear(3, 2, rng=0))
    optimizer, loss = nn.SGD(model), nn.MSELoss()
    return {
        "layers": model,
        "losses": loss,
        "optimizers": optimizer,
        "trainers": nn.Trainer(model, loss, optimizer, progress=False),
        "histories": nn.History(),
        "schedules": nn.StepDecay(optimizer, 3),
    }


def advice():
    tables = [words.NAMES, words.ADVICE, *ATTRIBUTES.values()]
    return [sentence for table in tables for sentence in table.values()]


def test_every_name_that_is_advised_exists():
    pytest.importorskip("sklearn", reason="its estimators are among the names")
    found = [name for sentence in advice() for name in re.findall(r"\bnn(?:\.\w+)+", sentence)]
    assert len(found) > 80
    for name in found:
        thing = nn
        for part in name.split(".")[1:]:
            assert hasattr(thing, part), name
            thing = getattr(thing, part)


def test_every_attribute_that_is_advised_exists():
    """`trainer.fit`, `model.params`: of the objects that sentences name."""
    named = {
        "model": "layers", "layer": "layers", "loss": "losses", "optimizer": "optimizers",
        "trainer": "trainers", "history": "histories",
    }  # fmt: skip
    pattern = rf"(?<![.\w])({'|'.join(named)})\.(\w+)"
    found = [pair for sentence in advice() for pair in re.findall(pattern, sentence)]
    assert len(found) > 20
    for owner, name in found:
        assert hasattr(things()[named[owner]], name), f"{owner}.{name}"


def test_no_word_is_a_name_that_there_is():
    assert not set(words.NAMES) & set(nn.__all__)


def keywords():
    """Every keyword of a public class or function."""
    every = [getattr(nn, name) for name in nn.__all__ if callable(getattr(nn, name))]
    every += [nn.Trainer.fit, nn.Layer.forward]
    found = set()
    for each in every:
        found |= set(inspect.signature(each).parameters)
    return found


def test_every_keyword_that_is_advised_is_one_of_ours():
    ours = keywords()
    assert {name for names in words.KEYWORDS.values() for name in names} <= ours
    written = {w for sentence in words.ADVICE.values() for w in re.findall(r"\b(\w+)=", sentence)}
    assert written <= ours | {"progress"}


def test_every_option_that_is_advised_is_one_of_ours():
    options = {flag(each.name) for each in offered()} | {"--out", "--resume", "--workers"}
    assert set(words.OPTIONS.values()) <= options | {"--jobs"}
    assert not set(words.OPTIONS) & options


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("CrossEntropyLoss", "here it is nn.SoftmaxCrossEntropy"),
        ("Dense", "here it is nn.Linear(in_features, out_features), with the activation"),
        ("Conv2D", "here it is nn.Conv2d"),
        ("Module", "here it is nn.Layer"),
        ("functional", "here it is the layers and losses themselves"),
        ("DataLoader", "here it is nn.minibatches"),
        ("no_grad", "it is left out here"),
        ("Linaer", "did you mean Linear?"),
        ("batch_norm", "did you mean BatchNorm?"),
    ],
)
def test_a_name_of_another_library_is_answered_with_ours(asked, answer):
    for module in (nn, nn.layers, nn.losses, nn.optimizers, nn.training):
        if "did you mean" in answer and module is not nn:
            continue
        with pytest.raises(AttributeError, match=re.escape(answer)):
            getattr(module, asked)
    with pytest.raises(ImportError, match=re.escape(answer)):
        exec(f"from nnscratch import {asked}")


def test_a_name_that_is_like_none_is_just_missing():
    with pytest.raises(AttributeError, match=r"^nnscratch has no 'xyzzy'$"):
        nn.xyzzy  # noqa: B018
    assert not hasattr(nn, "Dense")
    assert not hasattr(nn, "__wrapped__")


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, table in ATTRIBUTES.items() for name in table]
)
def test_an_attribute_of_another_library_is_answered_with_ours(kind, name):
    thing = things()[kind]
    with pytest.raises(AttributeError, match=f"{type(thing).__name__} has no '{name}'; "):
        getattr(thing, name)
    assert not hasattr(thing, name)
    assert name not in dir(thing)


def test_what_would_do_nothing_can_not_be_set():
    model = nn.Sequential(nn.Linear(3, 2, rng=0))
    with pytest.raises(AttributeError, match=r"layer\.freeze\(\)"):
        model[0].trainable = False
    with pytest.raises(AttributeError, match=r"here it is optimizer\.learning_rate"):
        nn.SGD(model).lr = 0.1


class Own(nn.Layer):
    """A layer whose author uses some of the words for himself."""

    def __init__(self, weight):
        self.weight = weight

    def summary(self):
        return "mine"

    def forward_pass(self, x):
        return x * self.weight, None


def test_a_layer_of_ones_own_may_use_the_words():
    layer = pickle.loads(pickle.dumps(copy.deepcopy(Own(2.0))))
    assert layer.weight == 2.0 and layer.summary() == "mine"
    assert {"weight", "summary"} <= set(dir(layer)) and "fit" not in dir(layer)
    layer.fit = 3
    assert layer.fit == 3 and "fit" in dir(layer)


@pytest.mark.parametrize(
    ("make", "answer"),
    [
        (lambda m: nn.Adam(m, lr=0.1), "Adam has no keyword 'lr'; here it is learning_rate"),
        (lambda m: nn.SGD(m, weightdecay=0.1), "did you mean weight_decay?"),
        (lambda m: nn.SGD(m, wd=0.1), "here it is weight_decay"),
        (lambda m: nn.Adam(m, betas=(0.9, 0.99)), "give beta1= and beta2=, a number each"),
        (lambda m: nn.RMSprop(m, alpha=0.9), "here it is decay"),
        (lambda m: nn.Dropout(rate=0.3), "Dropout has no keyword 'rate'; here it is p"),
        (lambda m: nn.Conv2d(1, 2, 3, strides=2), "here it is stride"),
        (lambda m: nn.Linear(3, 2, activation="relu"), "as a layer, such as nn.ReLU()"),
        (lambda m: nn.ReLU(inplace=True), "leave it out: an array of yours is never written to"),
        (lambda m: nn.ReLU(slope=0.1), "ReLU has no keyword 'slope'; it takes none"),
        (lambda m: nn.BatchNorm(3, eps=1e-3), "here it is epsilon"),
        (lambda m: nn.SoftmaxCrossEntropy(from_logits=True), "the loss takes logits"),
        (lambda m: nn.Trainer(m, criterion=nn.MSELoss(), optimizer=nn.SGD(m)), "it is loss"),
        (lambda m: nn.Trainer(m, nn.MSELoss(), nn.SGD(m), epochs=3), "trainer.fit(x, y, epochs="),
        (lambda m: trained(m, epoch=3), "fit has no keyword 'epoch'; did you mean epochs?"),
        (lambda m: trained(m, validation_split=0.1), "here it is validation"),
        (lambda m: trained(m, verbose=0), "give progress=False to nn.Trainer"),
    ],
)
def test_a_keyword_of_another_library_is_answered_with_ours(make, answer):
    with pytest.raises(TypeError, match=re.escape(answer)):
        make(nn.Sequential(nn.Linear(3, 2, rng=0)))


def trained(model, **keywords):
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), progress=False)
    return trainer.fit(np.zeros((4, 3)), np.zeros((4, 2)), **keywords)


def test_a_class_without_arguments_still_takes_none():
    with pytest.raises(TypeError, match=r"ReLU\(\) takes no arguments"):
        nn.ReLU(0.1)
    assert str(inspect.signature(nn.ReLU)) == "()"


def test_all_kinds_of_objects_know_words():
    assert isinstance(vars(Schedule)["get_last_lr"], Word)
    assert all(table for table in ATTRIBUTES.values())
