"""Run the command line with ``python -m riskmap``."""

from riskmap.cli.app import main

main()
