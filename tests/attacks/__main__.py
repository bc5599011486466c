import sys

from tests.attacks.study import main

sys.exit(main())
