#!/bin/sh
# Makes .venv with everything in it; with the argument "peers", build/bench-env with the pipelines that benchmarks compare
# with. Quick when nothing changed. GPU=1 takes the CUDA build of PyTorch.
set -eu

peers=tests/benchmarks/peers/requirements.txt
if [ "${1:-}" = peers ]; then venv=build/bench-env; else venv=.venv; fi
stamp="$venv/.footnote-setup"
fingerprint=$(cat pyproject.toml constraints.txt "$peers" "$0" | sha256sum | cut -d' ' -f1)-${GPU:-0}
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$fingerprint" ]; then exit 0; fi

[ -x "$venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip="$venv/bin/python -m pip"
torch=$(grep '^torch==' constraints.txt)

# Where does pip find this PyTorch? A wheel given to it (PIP_FIND_LINKS, pip.conf) is the CPU build and stays; from the
# public index it would bring gigabytes of CUDA, so then PyTorch's own CPU index serves.
given() {
    $pip install --quiet --dry-run --ignore-installed --no-deps --report - "$torch" 2>/dev/null |
        "$venv/bin/python" -c 'import json, sys; sys.exit(not json.load(sys.stdin)["install"][0]["download_info"]["url"].startswith("file:"))' 2>/dev/null
}
if [ "${GPU:-0}" = 1 ] || [ "$(uname -s)" != Linux ] || given; then
    $pip install "$torch"
else
    $pip install --index-url https://download.pytorch.org/whl/cpu "$torch"
fi
if [ "${1:-}" = peers ]; then
    $pip install --requirement "$peers"
else
    $pip install --constraint constraints.txt --editable '.[dev]'
fi
echo "$fingerprint" >"$stamp"
