"""The settings of a run: choices found in the library, defaults from signatures, config.json."""

import inspect
import json
import os
import re
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import initializers, optimizers
from nnscratch.cli import main
from nnscratch.commands.choices import (
    ACTIVATIONS,
    CHOICES,
    OPTIMIZERS,
    PREFERRED,
    defaults_of,
    takers,
)
from nnscratch.commands.options import flag, nearest, one_line
from nnscratch.commands.run_folder import claim_folder
from nnscratch.commands.settings import Config
from nnscratch.layers import activations, scan
from tests.command_line import caller


def test_every_exported_optimizer_is_a_choice():
    exported = [getattr(optimizers, name) for name in optimizers.__all__]
    found = {c for c in exported if isinstance(c, type) and issubclass(c, nn.Optimizer)}
    assert set(OPTIMIZERS.values()) == found - {nn.Optimizer}
    assert {"sgd": nn.SGD, "adamw": nn.AdamW, "rmsprop": nn.RMSprop}.items() <= OPTIMIZERS.items()


def test_every_element_wise_activation_is_a_choice():
    exported = {getattr(activations, name) for name in activations.__all__}
    assert set(ACTIVATIONS.values()) == {kind for kind in exported if kind.element_wise}
    assert {"relu": nn.ReLU, "leaky-relu": nn.LeakyReLU}.items() <= ACTIVATIONS.items()


def test_an_activation_says_itself_what_initializer_suits_it():
    class Bent(nn.Layer):
        suits = staticmethod(initializers.lecun_normal)

    assert initializers.for_activation(Bent) is initializers.lecun_normal
    assert initializers.for_activation(nn.ELU()) is initializers.he_normal
    assert initializers.for_activation(nn.Tanh) is initializers.glorot_uniform
    assert initializers.for_activation(None) is initializers.glorot_uniform


def test_a_deep_net_drops_nothing_unless_told():
    assert Config().dropout == Config(hidden=(64, 64, 64)).dropout == 0.2
    assert Config(hidden=(64,) * 4).dropout == 0
    assert Config(hidden=(64,) * 4, dropout=0.1).dropout == 0.1


def test_sgd_takes_smaller_steps_in_a_deep_net_unless_told():
    assert Config(hidden=(64,) * 3).learning_rate == 0.02
    assert Config(hidden=(64,) * 4).learning_rate == 0.01
    assert Config(hidden=(64,) * 4, learning_rate=0.02).learning_rate == 0.02
    assert Config(hidden=(64,) * 4, optimizer="adam").learning_rate == 0.001


def test_a_subclass_is_element_wise_only_if_it_says_so_again():
    class Sorted(nn.Tanh):
        """Computes something else."""

    class Doubled(nn.Tanh):
        element_wise = True

    def scanned(layer):
        return scan.Scan(nn.Sequential(nn.Linear(4, 2), layer), window=2)

    with pytest.raises(ValueError, match="element-wise layers only"):
        scanned(Sorted()).as_correlation()
    assert type(scanned(Doubled()).as_correlation()[1]) is Doubled


def test_defaults_are_those_of_the_signature():
    for name, optimizer in OPTIMIZERS.items():
        config = Config(optimizer=name)
        parameters = inspect.signature(optimizer).parameters
        for option in ("learning_rate", "momentum", "weight_decay"):
            if option not in parameters:
                assert getattr(config, option) is None
            elif option not in PREFERRED.get(name, {}):
                assert getattr(config, option) == parameters[option].default


def test_what_does_nothing_is_refused_by_the_signature():
    for kind in ("model", "optimizer"):
        options = {o for name in CHOICES[kind] for o in defaults_of(kind, name)}
        for option in options & {field.name for field in fields(Config)}:
            for name in CHOICES[kind].keys() - takers(kind, option).keys():
                value = next(iter(takers(kind, option).values()))
                with pytest.raises(ValueError, match=f"{flag(option)} does nothing for {name}"):
                    Config(**{kind: name, option: value})


def test_the_help_names_every_setting_choice_and_default(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for field in (each for each in fields(Config) if each.metadata["group"]):  # or of the data
        assert re.search(rf"{flag(field.name)}\b", text)
    for names in CHOICES.values():
        assert "{" + ",".join(sorted(names)) + "}" in text
    for default in ("default digits", "default 256 128 for mlp", "0.9 for sgd", "default 30"):
        assert default in text


def test_settings_come_back_from_their_file(tmp_path):
    config = Config(hidden=(3, 4), optimizer="adam", dropout=0.5, seed=7, flip=True, root="x")
    config.write(tmp_path)
    assert Config.read(tmp_path) == config
    stored = json.loads((tmp_path / "config.json").read_text())
    assert (stored["learning_rate"], stored["weight_decay"]) == (0.001, 0.0)


WRONG = [True, "x", 1.5, -1, [], {}, [[1]], [True], ["a"], None, 10**400, "relu\x1b[31m"]


@pytest.mark.parametrize("name", [field.name for field in fields(Config)])
def test_a_setting_of_a_wrong_kind_in_the_file_is_a_clear_error_or_right(tmp_path, name):
    Config().write(tmp_path)
    path = tmp_path / "config.json"
    settings = json.loads(path.read_text())
    for value in WRONG:
        path.write_text(json.dumps(settings | {name: value}))
        try:
            found = getattr(Config.read(tmp_path), name)
        except ValueError as error:
            assert str(path) in str(error)
        else:  # what an option could have been given, too
            kind = type(getattr(Config(), name))
            assert type(found) is kind or (found is None) or kind is type(None)


@pytest.mark.parametrize(
    "content",
    [" ", "[]", "3", "nul", '{"epochs": 3', '{"nonsense": 1}', "[" * 100_000, '{"model": "nope"}'],
)
def test_a_file_that_is_not_settings_is_a_clear_error(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ValueError, match="is not the settings of a run"):
        Config.read(tmp_path)


def test_a_pipe_or_a_large_file_in_the_place_of_the_settings_is_refused(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ValueError, match="no regular file"):
        Config.read(tmp_path)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(ValueError, match="at most"):
        Config.read(tmp_path)


def test_runs_that_start_at_once_never_share_a_folder(tmp_path):
    code = (
        "import sys; from nnscratch.commands.run_folder import claim_folder;"
        "from nnscratch.commands.settings import Config;"
        "sys.stdin.read(1); print([str(claim_folder(None, Config())) for _ in range(25)])"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": tmp_path}
    started = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(4)]
    for process in started:
        process.stdin.write("x")
    claimed = [re.findall(r"digits-mlp-\d+", process.communicate()[0]) for process in started]
    names = [name for names in claimed for name in names]
    assert len(names) == len(set(names)) == 100


def test_a_folder_that_holds_a_run_is_not_claimed_again(tmp_path):
    folder = claim_folder(str(tmp_path / "one"), Config(seed=3))
    with pytest.raises(ValueError, match="already holds a run"):
        claim_folder(str(folder), Config())
    assert Config.read(folder).seed == 3


def test_nearest_knows_initials_beginnings_and_slips():
    known = ["--learning-rate", "--batch-size", "--epochs", "--out"]
    for word, meant in (("--lr", "--learning-rate"), ("--bs", "--batch-size")):
        assert nearest(word, known) == f" (did you mean {meant}?)"
    assert nearest("--learning_rate", known) == " (did you mean --learning-rate?)"
    assert nearest("--epcohs", known) == " (did you mean --epochs?)"
    assert nearest("--zzz", known) == ""


def test_what_a_terminal_would_obey_is_escaped():
    assert one_line("a\x1b[31mb\nc\u202e é") == "a\\x1b[31mb c\\u202e é"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--root", "data"], "--root is the folder of downloaded files, which digits has none of"),
        (["--data", "spirals", "--root", "data"], "which spirals has none of; leave it out"),
        (["--data", "./own.npz", "--root", "data"], "own.npz has none of; leave it out"),
        (["--threads", "2", "--workers", "2"], "leaves one thread to each process; leave out"),
        (["--validation", "0.0001"], "--validation 0.0001 of 1437 samples is none of them; give"),
    ],
)
def test_options_that_would_do_nothing_are_refused(tmp_path, monkeypatch, capsys, options, words):
    monkeypatch.chdir(tmp_path)
    np.savez("own.npz", x_train=np.zeros((6, 2)), y_train=[0, 1] * 3)
    status, _, err = caller(capsys)("train", "--epochs", 1, *options)
    assert status in (1, 2)
    assert words in err
    assert not (tmp_path / "runs").exists()
