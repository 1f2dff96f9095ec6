#!/usr/bin/env bash
# Set up a virtual environment with pinned versions, then lint, type-check and test. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

python=${PYTHON:-python3.11}
stamp=.venv/.installed
wanted=$(cat pyproject.toml tests/constraints.txt tests/requirements.txt llamax_cli/*/*.c | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    # torch first and pinned: left to its dependants, pip would fetch the build for CUDA.
    .venv/bin/python -m pip install --quiet -c tests/constraints.txt torch
    .venv/bin/python -m pip install --quiet -c tests/constraints.txt -r tests/requirements.txt --config-settings editable_mode=compat -e .
    echo "$wanted" >"$stamp"
fi
export PATH="$PWD/.venv/bin:$PATH"

ruff format --check .
ruff check .
mypy
pytest -n auto "$@"
