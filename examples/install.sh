#!/usr/bin/env bash
# Make .venv in this clone, with pinned versions of llamax and all that it needs, where it is not there yet.
#
#   bash examples/install.sh && source .venv/bin/activate
#   PYTHON=python3.13 bash examples/install.sh
#
# The first Python on the PATH that is new enough is taken, or the one that PYTHON names. An installation that was
# interrupted is thrown away and made again. With --tests comes what the tests and the linters need besides.
set -euo pipefail
cd "$(dirname "$0")/.."

pins=(examples/constraints.txt) packages=() stamp=.venv/.installed
[ "${1:-}" != --tests ] || pins+=(tests/constraints.txt) packages=(-r tests/requirements.txt) stamp=.venv/.installed-tests
wanted=$(cat pyproject.toml "${pins[@]}" llamax_cli/*.[ch] llamax_cli/*/*.[ch] | cksum)
[ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ] || exit 0

say() { printf 'install: %s\n' "$*" >&2; }

# Print the path of the first Python that is new enough.
find_python() {
    local names name version
    names=("${PYTHON:-python3}")
    [ -n "${PYTHON:-}" ] || names+=(python3.14 python3.13 python3.12 python3.11)
    for name in "${names[@]}"; do
        "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$name" && return
    done
    version=$("${names[0]}" --version 2>/dev/null) || version='not there'
    say "llamax needs Python 3.11 or newer, and ${names[0]} is $version." \
        "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or say where it is: PYTHON=/path/to/python3"
    return 1
}

# Make .venv with a pip in it; Debian and Ubuntu keep what this needs in a package of its own.
make_venv() {
    local python=$1 package
    "$python" -m venv .venv >/dev/null 2>&1 && return
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        say "$python cannot make virtual environments. Install what it lacks (Debian, Ubuntu: sudo apt-get install $package)"
        return 1
    fi
    say "installing $package, which this system keeps apart from Python"
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"; } >&2
    "$python" -m venv .venv >&2
}

# Install the build of PyTorch for this machine. PyPI's for Linux brings gigabytes of CUDA libraries.
install_torch() {
    local pin index=https://download.pytorch.org/whl/cpu
    pin=$(grep '^torch==' examples/constraints.txt)
    if [ "$(uname -s)" != Linux ]; then
        say '[2/3] PyTorch'
    elif nvidia-smi --list-gpus 2>/dev/null | grep -q GPU; then
        say '[2/3] PyTorch with CUDA, because there is an NVIDIA GPU: some gigabytes'
    else
        say '[2/3] PyTorch for the CPU, because there is no NVIDIA GPU: about 200 MB'
        # Versions that end in +cpu are never on PyPI, but may be in a folder or an index that pip is configured for.
        "${pip[@]}" "$pin+cpu" 2>/dev/null && return
        "${pip[@]}" "$pin+cpu" --extra-index-url "$index" --retries 1 --timeout 15 2>/dev/null && return
        say "$index did not give it; PyPI's build runs on the CPU too, but is some gigabytes larger"
    fi
    "${pip[@]}" "$pin"
}

python=$(find_python)
# The mark is beside .venv, so that it is there before the folder is and after it is gone, whenever this is killed.
# An environment that somebody else made is never marked, so never removed.
unfinished=.venv.unfinished
if [ -e "$unfinished" ]; then
    say 'an earlier installation did not finish; starting again'
    rm -rf .venv
fi
[ -e .venv ] && [ ! -e .venv/.installed ] || touch "$unfinished"

say "[1/3] .venv, a virtual environment with $("$python" --version)"
.venv/bin/python -m pip --version >/dev/null 2>&1 || make_venv "$python"
pip=(.venv/bin/python -m pip install --disable-pip-version-check)
for file in "${pins[@]}"; do pip+=(--constraint "$file"); done
# On a terminal pip shows what it downloads and installs; a log gets the three lines of this script.
[ -t 2 ] || pip+=(--quiet)

install_torch >&2
say "[3/3] llamax and up to $(cat "${pins[@]}" | wc -l | tr -d ' ') other packages"
"${pip[@]}" --config-settings editable_mode=compat ${packages[@]+"${packages[@]}"} -e . >&2
command -v cc >/dev/null || command -v gcc >/dev/null ||
    say 'there is no C compiler, so llamax augment, mix, langid and score take longer (Debian, Ubuntu: apt-get install gcc)'

wanted_alone=$(cat pyproject.toml examples/constraints.txt llamax_cli/*.[ch] llamax_cli/*/*.[ch] | cksum)
printf '%s\n' "$wanted_alone" >.venv/.installed
printf '%s\n' "$wanted" >"$stamp"
rm -f "$unfinished"
say 'done'
