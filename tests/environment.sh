# To be sourced: makes .venv in this clone, with what the tests and the linters need, where it is not there yet, and
# enters it.
environment=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$environment/examples/install.sh" --tests || return
export PATH="$environment/.venv/bin:$PATH"
