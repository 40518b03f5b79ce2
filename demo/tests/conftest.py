"""Lets the tests import the demo's scripts, which lie one folder up and are not a package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
