"""Models to and from ONNX, by the package `onnx`.

page.py                       a file while it is written
of_layers.py of_...           what each layer is there
export.py                     containers and graphs, and the file

load.py                       a file that is read, and what is refused of it
call.py room.py               one of its nodes, and what is known before anything is computed
from_layers.py from_...       what each operator is here
"""

from nnscratch.interop.onnx.export import export as export
from nnscratch.interop.onnx.load import load as load
