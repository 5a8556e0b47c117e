#!/usr/bin/env bash
# Proves README's two commands on a bare Debian 12: a chroot with python3.11, git and make, a fresh clone, `make test`,
# then `make run` on a virtual screen with a screenshot. Needs root, mmdebstrap, Xvfb and ImageMagick on this machine.
#
# usage: bare_debian.sh [test|run|all]      results in build/verify
# WHEELS=folder   a folder with the CPU wheel of PyTorch, given to pip inside as PIP_FIND_LINKS
set -euo pipefail

what=${1:-all}
repository=$(cd "$(dirname "$0")/../.." && pwd)
results="$repository/build/verify"
data=${FOOTNOTE_TEST_DATA:-$repository/../shared/data}
mkdir -p "$results"
base="$results/bare-debian-12.tar"
[ -f "$base" ] || mmdebstrap --variant=minbase --include=python3.11,python3,git,make,ca-certificates bookworm "$base"

root=$(mktemp -d)
screen=""
clean_up() {
    [ -z "$screen" ] || kill "$screen" 2>/dev/null || true
    for mounted in "$root/tmp/.X11-unix" "$root/wheels" "$root/data" "$root/dev/pts" "$root/dev/shm" "$root/sys" "$root/proc"; do
        mountpoint -q "$mounted" && umount -l "$mounted"
    done
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT

tar -xf "$base" -C "$root" --exclude='./dev/*'
# Device nodes of its own: with /dev bind-mounted, an accident inside would hit this machine.
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $node
    rm -f "$root/dev/$1"
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
mkdir -p "$root/dev/pts" "$root/dev/shm" "$root/data" "$root/wheels" "$root/tmp/.X11-unix"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t devpts devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
if [ -d "$data" ]; then mount --bind -o ro "$data" "$root/data"; fi
if [ -n "${WHEELS:-}" ]; then mount --bind -o ro "$WHEELS" "$root/wheels"; fi
git clone -q "$repository" "$root/root/footnote"

inside() {
    env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "${display[@]}" \
        FOOTNOTE_TEST_DATA=/data PIP_FIND_LINKS="${WHEELS:+/wheels}" PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
        chroot "$root" /bin/sh -c "cd /root/footnote && $1"
}
display=(DISPLAY=)

if [ "$what" = test ] || [ "$what" = all ]; then
    time inside "make test" 2>&1 | tee "$results/test.log"
    time inside "make setup-test" # the second time it has nothing to do
fi
if [ "$what" = run ] || [ "$what" = all ]; then
    mkdir -p /tmp/.X11-unix
    mount --bind /tmp/.X11-unix "$root/tmp/.X11-unix"
    Xvfb :97 -screen 0 1400x900x24 -nolisten tcp &
    screen=$!
    display=(DISPLAY=:97)
    inside "make run" >"$results/run.log" 2>&1 &
    waiting=0
    until DISPLAY=:97 xdotool search --onlyvisible --name Footnote >/dev/null 2>&1; do
        waiting=$((waiting + 1))
        [ "$waiting" -lt 900 ] || { tail "$results/run.log"; echo "no window within 15 minutes"; exit 1; }
        sleep 1
    done
    sleep "${SETTLE_SECONDS:-60}" # the sample library is being read
    DISPLAY=:97 import -window root "$results/run.png"
    echo "window found after $waiting s; screenshot: build/verify/run.png"
    window=$(DISPLAY=:97 xdotool search --onlyvisible --name Footnote | head -n 1)
    kill -TERM "$(DISPLAY=:97 xdotool getwindowpid "$window")" # there is no window manager to ask it nicely
    wait %2 && echo "make run ended with status 0"
fi
