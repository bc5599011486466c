"""What the shell is told at a press of the completion's key, in a process of its own."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("argcomplete")


def completed(line, folder):
    """The words that may follow a line, as argcomplete hands them to the shell."""
    answer = folder / "answer"
    environment = os.environ | {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
    }
    code = "import sys; from nnscratch.cli import main; sys.argv[0] = 'nnscratch'; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("", "")
    return [word.strip() for word in answer.read_text().split("\n")]


def test_commands_options_and_choices_are_completed(tmp_path):
    assert completed("nnscratch ev", tmp_path) == ["evaluate"]
    assert {"train", "export", "sweep"} <= set(completed("nnscratch ", tmp_path))
    assert completed("nnscratch train --lea", tmp_path) == ["--learning-rate"]
    assert completed("nnscratch train --activation leak", tmp_path) == ["leaky-relu"]
    assert completed("nnscratch homework sta", tmp_path) == ["start"]


def test_names_of_data_models_and_runs_are_completed(tmp_path):
    (tmp_path / "runs" / "digits-mlp-1").mkdir(parents=True)
    (tmp_path / "runs" / "digits-mlp-1" / "config.json").write_text("{}")
    (tmp_path / "digits.csv").write_text("label")
    assert completed("nnscratch train --data dig", tmp_path) == ["digits", "digits.csv"]
    assert completed("nnscratch train --model m", tmp_path) == ["mlp"]
    assert "runs/digits-mlp-1" in completed("nnscratch evaluate ", tmp_path)
    assert completed("nnscratch train --resume runs/d", tmp_path) == ["runs/digits-mlp-1/"]
    assert completed("nnscratch runs --where opt", tmp_path) == ["optimizer="]


def test_without_argcomplete_nothing_is_said(tmp_path):
    code = "import sys; sys.modules['argcomplete'] = None; sys.argv[1:] = ['--version']"
    code += "; from nnscratch.cli import main; main()"
    environment = os.environ | {"_ARGCOMPLETE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.stdout.startswith(b"nnscratch ") and not done.stderr
