"""The tutorial runs from top to bottom and shows what its text says."""

import json
import time
from pathlib import Path

import pytest

import nnscratch.examples

nbformat = pytest.importorskip("nbformat", reason="the notebook extra is not installed")
nbclient = pytest.importorskip("nbclient", reason="the notebook extra is not installed")
pytest.importorskip("ipykernel", reason="the notebook extra is not installed")

TUTORIAL = Path(nnscratch.examples.__file__).with_name("tutorial.ipynb")

# Those of the notebook's machinery are not ours; those inside the notebook are looked for below.
pytestmark = pytest.mark.filterwarnings("ignore")

WITHOUT_FASHION_MNIST = """
import nnscratch as nn

def load_dataset(name, real=nn.load_dataset):
    if name == "fashion-mnist":
        raise FileNotFoundError("load_dataset: fashion-mnist needs files")
    return real(name)

nn.load_dataset = load_dataset
"""


def run(folder, first=None):
    """The code cells of the tutorial, executed in a folder of their own."""
    notebook = nbformat.read(TUTORIAL, 4)
    if first is not None:
        notebook.cells.insert(0, nbformat.v4.new_code_cell(first))
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def printed(cell):
    streams = {"stdout": "", "stderr": ""}
    for output in cell.outputs:
        if output.output_type == "stream":
            streams[output.name] += output.text
    assert "Warning" not in streams["stderr"]  # a download may show its progress there
    return streams["stdout"]


def shown(cell, kind):
    return [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]


def test_the_tutorial_runs_and_shows_what_it_says(tmp_path):
    start = time.perf_counter()
    cells = run(tmp_path)
    seconds = time.perf_counter() - start
    assert "array([[ 1.,  2.,  3.],\n       [10., 20., 30.]]" in shown(cells[0], "text/plain")[0]
    analytic, numeric = printed(cells[1]).split()[1::2]
    assert float(analytic) == pytest.approx(float(numeric), abs=1e-7)
    assert "only the diagonal of the Jacobian is used" in shown(cells[2], "text/html")[0]
    assert shown(cells[3], "text/html")[0].count("data:image/png;base64") == 10
    assert "Sequential: 9,610 parameters, 38.4 kB; forward and" in printed(cells[4])
    assert float(printed(cells[5]).split()[-1]) > 0.95
    assert len(shown(cells[6], "image/png")) == 1
    assert "updates are too large" in shown(cells[7], "text/html")[0]
    assert "History of " in shown(cells[8], "text/html")[0]
    name, accuracy = printed(cells[9]).split(": test accuracy ")
    assert float(accuracy) > {"fashion-mnist": 0.88, "digits": 0.95}[name]
    assert len(shown(cells[9], "image/png")) == 1
    for cell in cells:
        printed(cell)
    assert not list(tmp_path.iterdir())
    print(f"the tutorial took {seconds:.0f} s")


def test_without_fashion_mnist_the_tutorial_goes_on_with_the_digits_and_says_so(tmp_path):
    *_, training, result = run(tmp_path, first=WITHOUT_FASHION_MNIST)
    assert "Fashion-MNIST is missing, this goes on with the digits" in printed(training)
    assert float(printed(result).partition("digits: test accuracy ")[2]) > 0.95


def test_the_tutorial_has_ten_cells_each_after_its_text_and_no_stored_outputs():
    cells = json.loads(TUTORIAL.read_text("utf-8"))["cells"]
    assert [cell["cell_type"] for cell in cells] == 10 * ["markdown", "code"]
    for number, (text, code) in enumerate(zip(cells[::2], cells[1::2], strict=True), 1):
        assert f"## {number}. " in "".join(text["source"])
        assert code["outputs"] == []
        assert code["execution_count"] is None
