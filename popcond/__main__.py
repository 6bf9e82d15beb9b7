"""`python -m popcond` is `popcond`."""

import sys

from popcond.cli import main

sys.exit(main())
