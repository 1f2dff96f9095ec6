#!/usr/bin/env bash
# Table 10: do translations through a second dictionary help? The last setting of Table 3 with MUSE, with MUSE and 2-hop
# translations, and with PanLex.
#
#   bash examples/paper/table10.sh
#
# Table 11 shows what 1-hop and 2-hop translations are.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source examples/paper/settings.sh

make_lexicons; make_corpora; make_base
step muse-2.lex 'MUSE, with translations through a shared word' "llamax build-lexicon $muse --hops 2 -o muse-2.lex"
for lexicon in muse muse-2 panlex; do
    make_halves $lexicon
    setting "with-$lexicon" --para DP1.jsonl --aug "DP2.$lexicon.jsonl" "DM.$lexicon.jsonl"
done
report table10 "'MUSE: 1-hop=with-muse.scores.jsonl'" "'MUSE: 2-hop=with-muse-2.scores.jsonl'" \
    "'PanLex: 1-hop=with-panlex.scores.jsonl'" --central "${studied// /,}" --figures none

paper "Table 10: 1-hop and 2-hop dictionaries in the setting DP1+DP2'+DM', average spBLEU" <<'TABLE'
| dictionary | en-x | x-en | ta-x | x-ta | th-x | x-th | zh-x | x-zh |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| MUSE: 1-hop | 18.80 | 26.56 | 4.78 | 1.79 | 7.31 | 3.18 | 11.35 | 7.28 |
| MUSE: 2-hop | 18.70 | 26.50 | 4.47 | 1.83 | 7.08 | 3.26 | 10.74 | 6.68 |
| PanLex: 1-hop | 19.33 | 26.54 | 4.40 | 1.83 | 7.57 | 3.31 | 10.86 | 8.08 |
TABLE
ours "$(averages table10 "$studied")"
