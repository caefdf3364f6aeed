"""Time the index engine against numpy's plain way and a pandas loop, in one run.

    python benchmarks/index.py

1. 10 000 units x 20 indicators x 1 000 draws of weights: mean, sd, quantiles, class probabilities.
   Yardsticks: numpy's full float64 product with `np.percentile`, and a pandas loop over draws.
2. 1 000 000 units x 20 indicators through normalise, weight, aggregate, classify: seconds, growth,
   peak memory over 8 bytes x values.
"""

from __future__ import annotations

import itertools
import resource
import subprocess
import sys
import time

import numpy as np
import pandas as pd

from riskmap.index.stability import additive_summary
from riskmap.index.steps import default_steps, fit

UNITS, INDICATORS, DRAWS = 10_000, 20, 1_000
LIMITS = (0.4, 0.5, 0.6, 1.0)


def best(function, repeats=3):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        times.append(time.perf_counter() - start)
    return min(times), result


def numpy_way(x, w):
    scores = x @ w.T
    quantiles = np.percentile(scores, [5, 50, 95], axis=1)
    edges = np.array([-np.inf, *LIMITS[:-1], np.inf])
    chances = [((scores > a) & (scores <= b)).mean(axis=1) for a, b in itertools.pairwise(edges)]
    return scores.mean(axis=1), scores.std(axis=1, ddof=1), quantiles, np.array(chances)


def pandas_way(x, w):
    frame = pd.DataFrame(x)
    scores = pd.concat([(frame * row).sum(axis=1) for row in w], axis=1)
    return scores.mean(axis=1), scores.std(axis=1), scores.quantile([0.05, 0.5, 0.95], axis=1)


def stress():
    generator = np.random.default_rng(0)
    x = generator.random((UNITS, INDICATORS))
    w = generator.dirichlet(np.full(INDICATORS, 20.0), DRAWS)
    additive_summary(x[:100], w, LIMITS)
    ours, found = best(lambda: additive_summary(x, w, LIMITS))
    plain, expected = best(lambda: numpy_way(x, w))
    loop, _ = best(lambda: pandas_way(x, w), 1)
    assert np.allclose(found.mean, expected[0], atol=1e-6)
    assert np.allclose(found.sd, expected[1], atol=1e-5)
    assert np.allclose(found.quantiles, expected[2].T, atol=1e-5)
    assert np.allclose(found.classes, expected[3].T, atol=3 / DRAWS)
    print(f"draws: ours {ours:.3f} s, numpy float64 {plain:.3f} s, pandas loop {loop:.3f} s")
    print(f"draws: {ours / plain:.2f} of numpy (reach: 0.50)")


def table(units):
    generator = np.random.default_rng(1)
    codes = [f"I{n:02d}" for n in range(INDICATORS)]
    groups = ["HAZARD", "EXPOSURE", "VULNERABILITY", "CAPACITY"]
    rows = [(c, groups[n % 4], "indicator", 1 if n % 2 else -1, 1.0) for n, c in enumerate(codes)]
    rows += [(g, "RISK", "group", 1, 0.25) for g in groups] + [("RISK", "", "group", 1, 1.0)]
    meta = pd.DataFrame(rows, columns=["code", "parent", "kind", "direction", "weight"])
    values = pd.DataFrame(generator.random((units, INDICATORS)), columns=codes)
    return values, meta.set_index("code")


def one_pass(units):
    fit(*table(1000), default_steps())
    values, meta = table(units)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    fit(values, meta, default_steps())
    seconds = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    share = (after - before) * 1024 / (8 * units * INDICATORS)
    print(f"{units} {seconds:.3f} {share:.2f} {after / 1024:.0f}")


def growth():
    print("one pass: units, seconds, added memory / (8 bytes x values), peak MiB")
    times = {}
    for units in (250_000, 1_000_000):
        command = [sys.executable, __file__, str(units)]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        print(f"one pass: {shown}")
        times[units] = float(shown.split()[1])
    exponent = np.log(times[1_000_000] / times[250_000]) / np.log(4)
    print(f"one pass: growth exponent {exponent:.2f} (reach: 1.1)")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one_pass(int(sys.argv[1]))
    else:
        stress()
        growth()
