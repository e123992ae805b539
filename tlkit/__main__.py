"""`python -m tlkit`."""

import os
import sys

if sys.path[0] in ("", os.getcwd()):  # as for the installed command, a file random.py in this folder is no module
    del sys.path[0]

from tlkit.cli import main

sys.exit(main())
