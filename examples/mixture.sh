#!/usr/bin/env bash
# One epoch of samples out of dictionaries and corpora, in one pipe: nothing is stored on the way but the lexicon.
#
#   bash examples/mixture.sh muse ntrex128 flores101 > epoch-0.jsonl
#   EPOCH=1 PAIRS='en-sw,en-ur' bash examples/mixture.sh muse ntrex128 flores101 | gzip > epoch-1.jsonl.gz
#
# The first folder holds dictionaries, the second the corpus, the third the evaluation sets that must not be trained on.
# The lexicon is built once, under the name that LEXICON gives; every epoch draws other words.
set -euo pipefail

lexicon=${LEXICON:-mixture}
epoch=${EPOCH:-0}

llamax build-lexicon --list --quiet | grep -q "\"name\":\"$lexicon\"" ||
    llamax build-lexicon "$1" --name "$lexicon" >&2

llamax convert "$2" --pairs "${PAIRS:-en-*}" --drop-empty |
    llamax augment --dict "$lexicon" --append --seed "$epoch" --workers "${WORKERS:-2}" |
    llamax mix --aug - --exclude "$3" --epoch "$epoch"
