#!/bin/sh
# Builds llama.cpp's server into build/llama/llama-server, once per version (20 minutes of two cores).
# The sources are those inside the source package of llama-cpp-python; pip fetches it and checks its hash.
# JOBS says how many compilers run at once. An interrupted build goes on where it stopped.
set -eu

requirement=packaging/llama/llama-cpp-python.txt
folder=build/llama
server="$folder/llama-server"
stamp="$server.built-from"
version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' "$requirement")

# -O1 halves the time to build; for a model of 350 kB the server is fast enough. A build number keeps llama.cpp from
# asking git, which would answer for this repository. The UI must not be downloaded, and loopback needs no TLS.
optimisation="-O1 -DNDEBUG"
options="-DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_ALL_WARNINGS=OFF
 -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON
 -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF
 -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF
 -DLLAMA_BUILD_NUMBER=0 -DLLAMA_BUILD_COMMIT=$version"
wanted=$(echo $(cat "$requirement") $options $optimisation)
if [ -x "$server" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then exit 0; fi

need() {
    command -v "$1" >/dev/null 2>&1 && return
    echo "llama-server is built from source, which needs $2. Install it: sudo apt-get install $3" >&2
    exit 1
}
need cmake CMake cmake
need "${CC:-cc}" "a C compiler" gcc
need "${CXX:-c++}" "a C++ compiler" g++

source="$folder/llama_cpp_python-$version"
if [ ! -f "$source/.unpacked" ]; then
    echo "llama-server: fetching the sources of llama-cpp-python $version (77 MB)"
    rm -rf "$source"
    mkdir -p "$folder/download"
    .venv/bin/python -m pip download --disable-pip-version-check --quiet --no-deps \
        --no-binary llama-cpp-python --require-hashes --requirement "$requirement" --dest "$folder/download"
    tar -xzf "$folder/download/llama_cpp_python-$version.tar.gz" -C "$folder"
    touch "$source/.unpacked"
fi

jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
log="$folder/build.log"
echo "llama-server: building it, once, at low priority (20 minutes of two cores; $log tells how far it is)"
# shellcheck disable=SC2086 # options are words
if ! {
    cmake -S "$source/vendor/llama.cpp" -B "$source/build" $options \
        "-DCMAKE_C_FLAGS_RELEASE=$optimisation" "-DCMAKE_CXX_FLAGS_RELEASE=$optimisation" &&
        nice -n 19 cmake --build "$source/build" --target llama-server --parallel "$jobs"
} >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "llama-server: the build failed; all of its output is in $log" >&2
    exit 1
fi
cp "$source/build/bin/llama-server" "$server"
echo "$wanted" >"$stamp"
rm -rf "$source" "$folder/download"
echo "llama-server: built $server"
