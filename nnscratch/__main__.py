"""`python -m nnscratch` is the command `nnscratch`."""

import sys

from nnscratch.cli import main

sys.exit(main())
