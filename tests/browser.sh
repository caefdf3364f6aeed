#!/bin/sh
# The page is tested in Chromium, with a Chinese font. Installs both from Debian when they are missing and we may.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
fc-list 2>/dev/null | grep -qi "cjk" || missing="$missing fonts-noto-cjk"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fontconfig $missing >/dev/null
else
    echo "The tests need:$missing. Install them first, e.g.: sudo apt-get install fontconfig $missing" >&2
    exit 1
fi
