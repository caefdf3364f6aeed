#!/bin/sh
# Chromium 109, the age of the browsers in the offices, from an npm package that carries the program; needs npm and node.
# Prints the path of the program: RISKMAP_CHROMIUM=$(sh tests/browser109.sh) .venv/bin/python -m pytest tests/export/onemap
set -eu
package="@sparticuz/chromium@109.0.6"
folder="${1:-.chromium109}"
if [ ! -x "$folder/chromium" ]; then
    rm -rf "$folder"
    mkdir -p "$folder"
    cd "$folder"
    npm pack --silent "$package" >&2
    tar xzf ./*.tgz
    node -e "
      const z = require('zlib'), fs = require('fs');
      for (const name of ['chromium', 'swiftshader.tar', 'aws.tar'])
        fs.writeFileSync(name, z.brotliDecompressSync(fs.readFileSync('package/bin/' + name + '.br')));"
    tar xf swiftshader.tar
    chmod 755 chromium
    rm -rf ./*.tgz package ./*.tar
    cd - >/dev/null
fi
echo "$(cd "$folder" && pwd)/chromium"
