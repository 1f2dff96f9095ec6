#!/usr/bin/env bash
# Mix one more epoch every night out of whatever the corpus holds by then, for a training run that takes the next.
#
#   15 2 * * *  CORPUS=/data/corpus EPOCHS=/data/epochs bash /opt/llamax/examples/nightly-mix.sh
#
# That line works as it is where examples/install.sh has made /opt/llamax/.venv: cron's PATH has no llamax.
# CORPUS holds files of records in para/, mono/, aug/ and mt/, as far as there are any, and evaluation sets in held-out/.
# EPOCHS gets epoch-0.jsonl.zst, epoch-1.jsonl.zst and so on, a manifest beside each. A file that is there is whole; where
# a night was interrupted, the next one mixes that epoch again. Two never run at once, and cron has something to mail
# only where something went wrong. WORKERS and MEMORY say how much of the machine it may have.
set -euo pipefail
shopt -s nullglob

: "${CORPUS:?is not set: the folder with the records}" "${EPOCHS:?is not set: the folder for what is mixed}"
command -v llamax >/dev/null || export PATH="$(cd "$(dirname "$0")/.." && pwd)/.venv/bin:$PATH"
mkdir -p "$EPOCHS"
exec 9>"$EPOCHS/.lock"
flock --nonblock 9 || exit 0

inputs=()
for kind in para mono aug mt; do
    files=("$CORPUS/$kind"/*)
    [ ${#files[@]} -gt 0 ] && inputs+=("--$kind" "${files[@]}")
done
[ ${#inputs[@]} -gt 0 ] || { echo "nightly-mix: no records in para, mono, aug or mt of $CORPUS" >&2; exit 1; }
held_out=("$CORPUS/held-out"/*)
[ ${#held_out[@]} -gt 0 ] && inputs+=(--exclude "${held_out[@]}")

epoch=0
while [ -e "$EPOCHS/epoch-$epoch.jsonl.zst" ]; do epoch=$((epoch + 1)); done
llamax mix "${inputs[@]}" --epoch "$epoch" --workers "${WORKERS:-2}" --memory "${MEMORY:-1G}" --quiet \
    --output "$EPOCHS/epoch-$epoch.jsonl.zst" --manifest "$EPOCHS/epoch-$epoch.json"
