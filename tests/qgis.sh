#!/bin/sh
# Opens a result in real QGIS, where Debian's qgis and python3-qgis are installed; says so and stops elsewhere.
# Usage: sh tests/qgis.sh [RESULTS_FOLDER]; without one the tests' rural county is run.
set -eu
python=/usr/bin/python3
if ! QT_QPA_PLATFORM=offscreen "$python" -c "import qgis.core" >/dev/null 2>&1; then
    echo "QGIS is not installed here: nothing was opened in it (apt-get install qgis python3-qgis)"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=${1:-}
if [ -z "$folder" ]; then
    .venv/bin/python -c "from pathlib import Path; from tests import rural; rural.write(Path('$work/rural'))"
    .venv/bin/riskmap --quiet run "$work/rural/project.yaml" >/dev/null
    folder=$work/rural/out
fi
QT_QPA_PLATFORM=offscreen "$python" tests/qgis_opens.py "$folder/riskmap.gpkg" "$work" 2>"$work/said" || {
    cat "$work/said" >&2
    exit 1
}
