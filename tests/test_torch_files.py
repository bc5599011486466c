"""Files of weights as torch and its neighbours write them: shared, wrapped, of few bits."""

import numpy as np
import pytest

import nnscratch as nn
from tests.test_safetensors import shared_here

torch = pytest.importorskip("torch")
safetensors_torch = pytest.importorskip("safetensors.torch")

T = torch.nn
pytestmark = pytest.mark.torch


def test_an_array_that_is_there_under_one_of_its_names_is_read(tmp_path):
    """As safetensors.torch.save_model leaves out what shares its memory."""
    first = T.Linear(4, 4)
    safetensors_torch.save_model(T.Sequential(first, T.Tanh(), first), tmp_path / "m.safetensors")
    model = nn.load(shared_here(), tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.params["0.W"], first.weight.detach())
    assert len(safetensors_torch.load_file(tmp_path / "m.safetensors")) == 2


@pytest.mark.parametrize("module", ["module", "net.body"])
def test_the_module_that_all_names_lie_below_is_told_and_taken(module, tmp_path):
    """As DataParallel and torch.compile put one around a net."""
    net = T.Sequential(T.Linear(3, 4), T.BatchNorm1d(4), T.Sequential(T.Linear(4, 2)))
    state = {f"{module}.{name}": array for name, array in net.state_dict().items()}
    safetensors_torch.save_file(state, tmp_path / "m.safetensors")
    model = nn.build("Sequential(Linear(3, 4), BatchNorm(4), Sequential(Linear(4, 2)))")
    with pytest.raises(ValueError, match=rf"by names=\{{'': '{module}'\}}$"):
        nn.load(model, tmp_path / "m.safetensors")
    nn.load(model, tmp_path / "m.safetensors", names={"": module})
    np.testing.assert_array_equal(model.params["2.0.W"], net[2][0].weight.detach())
    nn.save(model, tmp_path / "again.safetensors", names={"": module})
    assert safetensors_torch.load_file(tmp_path / "again.safetensors").keys() == state.keys()


def test_bfloat16_is_read_as_float32(tmp_path):
    net = T.Linear(5, 3).bfloat16()
    safetensors_torch.save_file(net.state_dict(), tmp_path / "m.safetensors")
    model = nn.load(nn.Linear(5, 3), tmp_path / "m.safetensors")
    np.testing.assert_array_equal(model.params["W"], net.weight.detach().float())
    np.testing.assert_array_equal(model.params["b"], net.bias.detach().float())


@pytest.mark.parametrize(
    ("ending", "word"), [("pt", "safetensors.torch.save_file"), ("onnx", "interop.onnx has load")]
)
def test_files_of_other_libraries_are_answered_with_the_way(ending, word, tmp_path):
    with pytest.raises(ValueError, match=word):
        nn.load(nn.Linear(5, 3), tmp_path / f"m.{ending}")
