"""What the page holds does not depend on the machine's linear algebra."""

import os
import subprocess
import sys

CODE = """
import json
import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox
from riskmap.export.onemap.collect import fit_mapping
for n, size in ((30, 100), (900, 250)):
    box = GeoBox((n, n), Affine(size, 0, 412_345, 0, -size, 4_050_678), "EPSG:4548")
    print(json.dumps(fit_mapping(box)))
rng = np.random.default_rng(0)
print("blas", (rng.random((400, 12)).T @ rng.random(400)).tobytes().hex())
"""


def fitted(kernel):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE], check=True, capture_output=True, text=True,
        env=os.environ | {"OPENBLAS_CORETYPE": kernel},
    )  # fmt: skip
    return [line for line in done.stdout.splitlines() if not line.startswith("blas")]


def test_the_mapping_is_the_same_with_every_kernel():
    found = [fitted(kernel) for kernel in ("Prescott", "Haswell", "SkylakeX")]
    assert len(found[0]) == 2
    assert found[0] == found[1] == found[2]
