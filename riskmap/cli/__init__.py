"""What the person typed."""

from riskmap.cli.app import main

__all__ = ["main"]
