"""Ends the process while it is imported.

row: sys.exit, os._exit(0), a segfault
stopped by: exit status 0
"""

import os

os._exit(0)
