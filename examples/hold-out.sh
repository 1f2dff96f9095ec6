#!/usr/bin/env bash
# Cut corpora into training, development and test sets that share no segment, in any direction.
#
#   bash examples/hold-out.sh corpus.en corpus.de
#   PAIRS='*-*' bash examples/hold-out.sh flores101/dev
#
# Writes train.jsonl.zst (18 of 20 parts), dev.jsonl and test.jsonl (one part each, at most 1,000 pairs a direction).
# Run again after an interruption, it goes on: each step names its file and resumes it.
set -euo pipefail

choose=(--seed 1 --drop-empty)
[ -n "${PAIRS:-}" ] && choose+=(--pairs "$PAIRS")

llamax convert "$@" "${choose[@]}" --part 1/20 --sample 1000 -o dev.jsonl --resume
llamax convert "$@" "${choose[@]}" --part 2/20 --sample 1000 -o test.jsonl --resume
# A finished reader would end the loop that writes to it: ask first.
[ -e train.jsonl.zst ] || for part in $(seq 3 20); do
    llamax convert "$@" "${choose[@]}" --part "$part/20" --quiet
done | llamax convert -o train.jsonl.zst --resume
