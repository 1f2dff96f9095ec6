# To be sourced: makes .venv in this clone, with what the tests and the linters need, where it is not there yet, and
# enters it.
environment=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
bash "$environment/examples/install.sh" --tests || return
export PATH="$environment/.venv/bin:$PATH"

# What some tests run besides Python: make for the tables of the paper, a browser for the page of a report, parallel to
# split a stream.
missing=()
command -v parallel >/dev/null || missing+=(parallel)
command -v make >/dev/null || missing+=(make)
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >&2 || true
fi
