"""python -m tests.right_layers"""

import sys

from tests.right_layers.checks import main

sys.exit(main())
