#!/bin/sh
# Makes sure that the Debian packages Footnote needs are there: installs the missing ones when root, names them otherwise.
# usage: system_packages.sh run|test
set -eu

run_packages="ca-certificates python3-venv libgl1 libegl1 libx11-6 libx11-xcb1 libdbus-1-3 libfontconfig1 libfreetype6
 libxkbcommon0 libxkbcommon-x11-0 libbrotli1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
 libxcb-render-util0 libxcb-render0 libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xkb1
 libgomp1 fonts-dejavu-core"
test_packages="xvfb xauth xdotool openbox git faketime redis-server"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: no dpkg here; see README for the system libraries that Qt needs" >&2
    exit 0
fi

# Debian 13 and Ubuntu 24.04 renamed GLib when its time type grew.
if dpkg-query -W -f '${Version}' base-files 2>/dev/null | grep -q '^1[01]\|^12'; then glib=libglib2.0-0; else glib=libglib2.0-0t64; fi
wanted="$run_packages $glib"
[ "${1:-run}" = test ] && wanted="$wanted $test_packages"
# A Python that can already make virtual environments needs no package for it.
if "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null; then wanted=$(echo "$wanted" | sed 's/python3-venv//'); fi

missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "setup: system packages are missing. Install them, then run make again:" >&2
    echo "  sudo apt-get install$missing" >&2
    exit 1
fi
echo "setup: installing system packages:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -y -q --no-install-recommends $missing
