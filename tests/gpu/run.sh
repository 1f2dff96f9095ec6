#!/usr/bin/env bash
# Check llamax on the GPU of this machine and write RESULTS.md and results.json.
#
#   bash tests/gpu/run.sh                     # all steps: meant to take 25 minutes on one card, before the last one
#   bash tests/gpu/run.sh smoke correctness   # some of them
#   bash tests/gpu/run.sh --cpu               # try every step on a CPU, with small sizes
#
# What has a figure already is not measured again (--again does so). Where torch finds no GPU, it says so and exits with
# 77. PYTHON names a Python that has torch. Other packages that it lacks come out of WHEELS, a folder that
# tests/gpu/wheels.sh filled (tests/gpu/wheels unless said); nothing is downloaded.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-python3} wheels=${WHEELS:-$root/tests/gpu/wheels} venv=${VENV:-${TMPDIR:-/tmp}/llamax-gpu-venv}

if ! "$python" -c 'import sys; from importlib.util import find_spec; sys.exit(find_spec("torch") is None)' 2>/dev/null; then
    echo "skipped: $python has no torch; PYTHON names one that has" >&2
    exit 77
fi
if [ -d "$wheels" ]; then
    # Packages of the system stay visible, above all its torch, for which none is brought along.
    [ -e "$venv/installed" ] || {
        "$python" -m venv --system-site-packages "$venv"
        # A venv in a venv sees the packages of the system only; this one has to see those of its maker.
        "$python" -c 'import site; print("\n".join(site.getsitepackages()))' \
            >"$("$venv/bin/python" -c 'import site; print(site.getsitepackages()[0])')/maker.pth"
        "$venv/bin/python" -m pip install --quiet --no-index --no-deps "$wheels"/*.whl
        touch "$venv/installed"
    }
    python=$venv/bin/python
fi
export PATH="$(dirname "$(command -v "$python")"):$PATH" PYTHONPATH="$root:$root/tests${PYTHONPATH:+:$PYTHONPATH}"
# Libraries that ask for a GPU while they load must not begin to use it: the checks run in forks of that process.
export PYTORCH_NVML_BASED_CUDA_CHECK=1
exec "$python" -m gpu "$@"
