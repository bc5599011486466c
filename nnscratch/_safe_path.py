"""`python -m nnscratch` in a stranger's folder does not import what lies there.

Python looks for modules first in the folder where it is started with -m, and whoever grades there
would run the numpy.py that somebody handed in. While the package is being found, `sys.argv[0]` is
"-m"; then that folder stands first.
"""

import sys

if sys.argv[:1] == ["-m"] and not sys.flags.safe_path and sys.path:
    del sys.path[0]
