"""`python -m tests.simulation 0-2000`, or one seed, and perhaps a planted bug."""

import sys

from tests.simulation.simulate import main

sys.exit(main(sys.argv[1:]))
