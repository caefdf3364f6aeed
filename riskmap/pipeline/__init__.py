"""In which order: one project in, one frozen result out."""

from riskmap.pipeline.run import run

__all__ = ["run"]
