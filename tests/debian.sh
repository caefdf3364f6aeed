#!/bin/sh
# What the tests need from Debian: Chromium with a Chinese font for the page, LibreOffice Calc for the tables that
# officers fill in, PostgreSQL with PostGIS for databases. Installs what is missing when we may; starts nothing.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
command -v soffice >/dev/null 2>&1 || missing="$missing libreoffice-calc"
fc-list 2>/dev/null | grep -qi "cjk" || missing="$missing fonts-noto-cjk"
ls /usr/share/postgresql/*/extension/postgis.control >/dev/null 2>&1 || missing="$missing postgresql-postgis"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fontconfig $missing >/dev/null
else
    echo "The tests need:$missing. Install them first, e.g.: sudo apt-get install fontconfig $missing" >&2
    exit 1
fi
