#!/usr/bin/env bash
# Set up a virtual environment with pinned versions, then lint, type-check and test. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/environment.sh
# Compiled modules and rewritten assertions are kept for all the processes that load them.
export PYTHONDONTWRITEBYTECODE=

ruff format --check .
ruff check .
mypy
# Many tests wait for processes of their own, so cores would idle if each had one worker.
pytest -n "$(($(nproc) * 3 / 2))" --dist worksteal "$@"
