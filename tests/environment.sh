# To be sourced: makes .venv in this clone, with pinned versions, where it is not there yet, and enters it.
environment=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
stamp=$environment/.venv/.installed
wanted=$(cd "$environment" && cat pyproject.toml tests/constraints.txt tests/requirements.txt llamax_cli/*/*.c | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then (
    cd "$environment"
    [ -x .venv/bin/python ] || "${PYTHON:-python3.11}" -m venv .venv
    # torch first and pinned: left to its dependants, pip would fetch the build for CUDA.
    .venv/bin/python -m pip install --quiet -c tests/constraints.txt torch
    .venv/bin/python -m pip install --quiet -c tests/constraints.txt -r tests/requirements.txt --config-settings editable_mode=compat -e .
    echo "$wanted" >"$stamp"
); fi
export PATH="$environment/.venv/bin:$PATH"
