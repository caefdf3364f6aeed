#!/bin/sh
# Double click (run in a terminal), or give a project file or a folder of workbooks. No root, no network.
here=$(cd "$(dirname "$0")" && pwd)
export PYTHONUTF8=1 PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH PYTHONHOME
python="$here/python/bin/python3"
if [ ! -x "$python" ]; then
    cat "$here/python/MISSING.txt" >&2
    exit 1
fi
if [ $# -eq 0 ]; then
    "$python" -m riskmap start --home "$here/projects"
    status=$?
    printf '按回车键关闭 / press Enter to close '
    read -r _ || true
    exit $status
elif [ -e "$1" ]; then
    exec "$python" -m riskmap start "$1"
else
    exec "$python" -m riskmap "$@"
fi
