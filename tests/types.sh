#!/bin/sh
# The page's scripts against their JSDoc types, where Node and TypeScript can be had.
set -eu
command -v npx >/dev/null 2>&1 || { echo "types of the page's scripts: not checked, Node is not there"; exit 0; }
tsc="npx --yes --package typescript@5.6.3 -- tsc"
$tsc --version >/dev/null 2>&1 || { echo "types of the page's scripts: not checked, TypeScript cannot be had"; exit 0; }
$tsc --project riskmap/export/onemap/src/jsconfig.json
echo "types of the page's scripts: no complaint"
