"""A file run as a module: found by pickle, gone after an exception."""

import pickle
import sys

import pytest

from nnscratch.modules import load_module


def test_what_a_file_defines_can_be_pickled(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("from dataclasses import dataclass\n@dataclass\nclass Pair:\n    a: int\n")
    module = load_module(path, "a_module_of_ones_own")
    assert pickle.loads(pickle.dumps(module.Pair(3))) == module.Pair(3)
    del sys.modules["a_module_of_ones_own"]


def test_a_file_that_fails_leaves_no_module(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("x = 1 / 0")
    with pytest.raises(ZeroDivisionError):
        load_module(path, "a_module_that_fails")
    assert "a_module_that_fails" not in sys.modules


@pytest.mark.parametrize(("name", "error"), [("none.py", FileNotFoundError), ("x.c", ImportError)])
def test_a_file_that_is_not_there_or_not_python_is_an_error(tmp_path, name, error):
    with pytest.raises(error, match=name):
        load_module(tmp_path / name, "a_module_that_is_none")
