"""Weights of the parts of every group: given, equal, from data, from judgement."""

from __future__ import annotations

from dataclasses import replace

from riskmap.i18n import Text
from riskmap.index.table import Data, Options, Params


def fit(data: Data, options: Options, notes: list[Text]) -> Params:
    del options, notes
    return {"weights": {c: float(data.weights[c]) for c in data.weights}}


def apply(data: Data, params: Params) -> Data:
    return replace(data, weights=params["weights"])
