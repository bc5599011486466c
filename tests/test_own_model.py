"""A model given as text, and a trained one for other programs."""

import json

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.cli import main
from tests.command_line import caller

TEXT = "Sequential(Flatten(), Linear(64, 32), ReLU(), Linear(32, 10))"
TWICE = "a = Linear(64, 64); Sequential(Flatten(), a, Tanh(), a, Linear(64, 10))"
OWN = ["--model", TEXT, "--epochs", "2", "--quiet"]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return caller(capsys)


@pytest.mark.parametrize("text", [TEXT, TWICE, f"nn.{TEXT}", "\n" + TEXT.replace(", ", ",\n  ")])
def test_a_model_given_as_text_trains_and_is_found_again(run, tmp_path, text):
    assert run("train", "--model", text, "--epochs", 2, "--out", "r", "--quiet")[0] == 0
    assert json.loads((tmp_path / "r" / "config.json").read_text())["model"] == text.strip()
    status, out, _ = run("evaluate", "r")
    assert status == 0 and float(out.split()[-1]) > 0.7
    assert repr(nn.load_model(tmp_path / "r" / "model.npz")) == repr(nn.build(text))


def test_it_has_a_folder_of_its_own_and_goes_on(run, tmp_path):
    assert run("train", *OWN)[0] == 0
    assert (tmp_path / "runs" / "digits-own-1" / "model.npz").exists()
    assert run("train", "--resume", "runs/digits-own-1", "--epochs", 4, "--quiet")[0] == 0
    assert run("train", *OWN, "--epochs", 4, "--out", "whole")[0] == 0
    arrays = [
        nn.load_model(f"{folder}/model.npz").params for folder in ("runs/digits-own-1", "whole")
    ]
    for name in arrays[0]:
        np.testing.assert_array_equal(arrays[0][name], arrays[1][name])
    status, out, _ = run("runs", "runs", "whole")
    assert status == 0 and "digits: Sequential(Flatten(), Linear(64, 32), ReLU()..." in out


def test_every_other_command_takes_such_a_run(run, tmp_path):
    convolutions = (
        "Sequential(Conv2d(1, 4, 3), BatchNorm(4), ReLU(), GlobalAvgPool(), Linear(4, 10))"
    )
    without = "Sequential(Flatten(), Residual(Tanh()), Bias(64), Linear(64, 10))"
    for number, text in enumerate(
        [
            TEXT,
            convolutions,
            without,
            "Sequential(Reshape((-1, 8, 8)), GRU(8, 12), LastStep(), Linear(12, 10))",
        ]
    ):
        assert run("train", "--model", text, "--epochs", 1, "--out", number, "--quiet")[0] in (0, 1)
        assert run("plot", number)[0] == run("plot", number, "--confusion")[0] == 0
        assert run("report", number)[0] == 0
    status, _, err = run("plot", 3, "--weights")
    assert status == 1
    assert "the first weights of Sequential(Reshape((-1, 8, 8)), GRU(8, 12)" in err
    assert run("plot", 1, "--weights")[0] == run("plot", 0, "--weights")[0] == 0
    assert "Its weights are no images" in (tmp_path / "3" / "report.html").read_text()


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("resnet", 2, "unknown model 'resnet'; there is cnn, mlp, or the code of one of your own"),
        ("mpl", 2, "(did you mean mlp?)"),
        ("Sequential(", 2, "'(' was never closed"),
        ("Sequential(Flatten(), Dense(10))", 2, "here it is nn.Linear(in_features, out_features)"),
        ("Sequential(Lineal(64, 10))", 2, "no layer is called 'Lineal'; did you mean Linear; see"),
        ("__import__('os').system('touch hacked')", 2, "is no name of a layer"),
        ("(lambda: 0)()", 2, "is no name of a layer"),
        ("Linear(64, open('x'))", 2, "no layer is called 'open'"),
        ("Linear(10 ** 9, 10)", 2, "may not stand in the text of a model"),
        ("Linear(1000000000, 10)", 2, "10000000000 parameters, which are more than 268435456; see"),
        ("Sequential(" * 300 + ")" * 300, 2, "300 brackets inside one another"),
        ("Linear(64, 10)\x1b[31m(", 2, "non-printable character U+001B"),
        (
            "Sequential(Flatten(), Linear(784, 10))",
            1,
            "digits, (1, 8, 8) each: Linear(784, 10) exp",
        ),
        ("Sequential(Flatten(), Linear(784, 10))", 1, "make it Linear(64, 10)"),
        ("Sequential(Linear(64, 10))", 1, "put Flatten() before it"),
        (
            "Sequential(Flatten(), Linear(64, 12))",
            1,
            "12 scores for a sample, and digits has 10 cl",
        ),
        ("Sequential(Flatten(), Linear(64, 12))", 1, "end it with Linear(64, 10)"),
        ("Sequential(Flatten(), Linear(64, 12), ReLU())", 1, "put Linear(12, 10) behind it"),
        ("Sequential(Conv2d(1, 4, 3))", 1, "put Flatten(), Linear(144, 10) behind it"),
        ("Sequential(Flatten(), Split(2, 1))", 1, "--model has several outputs; digits needs one"),
        ("Sequential(Flatten(), Linear(64, 10), Softmax())", 1, "leave it out: the loss takes sco"),
        ("Sequential(Upsample(100000), Flatten(), Linear(64, 10))", 1, "nable to allocate"),
        ("Sequential(Add())", 1, "Add() expected 2 inputs, received 1"),
    ],
)
def test_a_text_that_builds_none_or_fits_no_data_is_one_line(run, tmp_path, text, status, message):
    found, out, err = run("train", "--epochs", 1, "--model", text)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err
    assert not list(tmp_path.iterdir())  # neither a folder nor what a text asked for


def test_options_of_the_named_networks_do_nothing_for_it(run):
    status, _, err = run("train", *OWN, "--hidden", 3)
    assert status == 2
    assert "--hidden does nothing for a model given as text; it is for mlp" in err


@pytest.mark.parametrize("text", ["__import__('os').system('touch hacked')", "Linear(3, 4)", 3])
def test_the_text_in_a_strangers_settings_is_only_read(run, tmp_path, text):
    assert run("train", *OWN, "--out", "r")[0] == 0
    path = tmp_path / "r" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model": text}))
    for command in ("evaluate", "report", "plot"):
        status, _, err = run(command, "r", *(["--confusion"] if command == "plot" else []))
        assert status == 1 and err.count("\n") == 1
    assert not (tmp_path / "hacked").exists()


def test_a_sweep_takes_several_texts(run, tmp_path):
    status, _, err = run("sweep", "--model", TEXT, "mlp", "--epochs", 1, "--out", "s")
    assert status == 0, err
    names = sorted(path.name for path in (tmp_path / "s").iterdir() if path.is_dir())
    assert len(names) == 2 and names[0].startswith("model=Sequential-Flatten-Linear-64-32-ReLU-")


# --- export ---


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "run"
    assert main(["train", *OWN, "--out", str(folder)]) == 0
    return folder


def scores(trained):
    x = nn.load_dataset("digits").x_test[:20]
    return x, nn.load_model(trained / "model.npz").eval().forward(x)


def test_an_exported_npz_gives_the_same_scores(run, trained, capsys):
    capsys.readouterr()
    status, out, _ = run("export", trained, "m.npz")
    assert (status, out) == (0, "wrote m.npz: 4 arrays, 2410 weights\n")
    x, y = scores(trained)
    np.testing.assert_array_equal(nn.load_model("m.npz").eval().forward(x), y)


def test_an_exported_onnx_gives_the_same_scores(run, trained):
    runtime = pytest.importorskip("onnxruntime")
    assert run("export", trained, "m.onnx")[0] == 0
    x, y = scores(trained)
    session = runtime.InferenceSession("m.onnx")
    np.testing.assert_allclose(session.run(None, {"x": x})[0], y, atol=1e-5)


@pytest.mark.torch
def test_an_exported_safetensors_is_read_by_torch(run, trained):
    torch = pytest.importorskip("torch")
    reader = pytest.importorskip("safetensors.torch")
    assert run("export", trained, "m.safetensors")[0] == 0
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10)
    )
    model.load_state_dict(reader.load_file("m.safetensors"))
    x, y = scores(trained)
    np.testing.assert_allclose(model(torch.tensor(x)).detach().numpy(), y, atol=1e-5)


@pytest.mark.parametrize(
    ("folder", "file", "status", "message"),
    [
        (None, "m.h5", 2, "FILE ends in .onnx, .safetensors or .npz, received 'm.h5'"),
        (None, "m", 2, "received 'm' without an ending"),
        (None, "none/m.npz", 1, "none/m.npz: No such file or directory"),
        ("nope", "m.npz", 1, "nope holds no run"),
    ],
)
def test_mistakes_of_an_export_are_one_line(run, trained, folder, file, status, message):
    found, out, err = run("export", folder or trained, file)
    assert (found, out, err.count("\n")) == (status, "", 1)
    assert message in err


def test_an_export_needs_its_extra_and_leaves_nothing_behind(run, trained, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    status, _, err = run("export", trained, "m.onnx")
    assert status == 1 and "pip install 'nnscratch[onnx]'" in err
    assert not list(tmp_path.iterdir())
