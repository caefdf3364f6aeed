"""The steps that a run takes when its project file does not list its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from riskmap.index.table import Options

SHORT: Final = {"std_dev": "standard_deviation", "fixed": "thresholds"}
"""Names of the project file to the names of `classify`."""


def default_steps(options: Options | None = None, root: str = "RISK") -> list[dict[str, Any]]:
    """Expand the short form of the project file into the list of steps.

    Parameters
    ----------
    options
        ``normalise``, ``aggregate``, ``weights``, ``classes`` of the project's ``index`` section;
        keys of ``aggregate`` may be ``default``, ``risk`` (the root) or any code.
    root
        Code of the root.

    Returns
    -------
    list of dict
        Steps as in ``STEPS.yaml``.

    Examples
    --------
    >>> [step["step"] for step in default_steps()]
    ['normalise', 'weight', 'aggregate', 'classify']
    """
    given = dict(options or {})
    scale = {"low": {"default": 0.01, "HAZARD": 0.0}, "high": 1.0}
    norm = given.get("normalise") or "minmax"
    normal = dict(norm) if isinstance(norm, Mapping) else {"method": norm, **scale}
    joined = given.get("aggregate") or {"risk": "geometric"}
    if isinstance(joined, Mapping):
        names = {
            root if str(c).lower() in ("risk", "root") else str(c): m for c, m in joined.items()
        }
        joined = {"default": "arithmetic", **names}
    weigh = given.get("weights") or "given"
    classes = dict(given.get("classes") or {"method": "natural_breaks", "k": 4})
    limits = classes.pop("breaks", None)
    method = str(classes.get("method") or "natural_breaks")
    classes["method"] = SHORT.get(method, method)
    if limits is not None:
        classes["thresholds"] = limits
    return [
        {"step": "normalise", **normal},
        {"step": "weight", **(dict(weigh) if isinstance(weigh, Mapping) else {"method": weigh})},
        {"step": "aggregate", "method": joined},
        {"step": "classify", "code": root, **classes},
    ]
