"""What the project file says."""

from riskmap.project.schema import Project

__all__ = ["Project"]
