"""`python -m eval`."""
import sys

from eval.command import main

sys.exit(main())
