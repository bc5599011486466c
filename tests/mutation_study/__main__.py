"""python -m tests.mutation_study"""

import sys

from tests.mutation_study.study import main

sys.exit(main())
