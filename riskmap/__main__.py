"""Run the command line with ``python -m riskmap``."""

from riskmap.cli import main

main()
