"""Models to and from ONNX, by the package `onnx`.

page.py                                   a file while it is written
of_layers.py of_operators.py of_space.py  what each layer is there
export.py                                 containers and graphs, and the file
"""

from nnscratch.interop.onnx.export import export as export
