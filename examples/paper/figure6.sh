#!/usr/bin/env bash
# Figure 6: the more tokens a language takes, the worse the model represents it. Fertility of each language against
# likeness to English and retrieval, with Spearman's correlation.
#
#   bash examples/paper/figure6.sh
#   TOKENIZER=data/tokenizers/llama2 SCALE=small DATA=/data bash examples/paper/figure6.sh
#
# With LLaMA-2's tokenizer and FLORES-101, fertility is the paper's to the digit. TOKENIZER is the model's unless said.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_base
step aligned.jsonl 'The same sentences in all languages' \
    "llamax convert $evaluation --mono '*' -o aligned.jsonl"
step figure6.fertility.jsonl 'Fertility' \
    "llamax analyze fertility aligned.jsonl --tokenizer ${TOKENIZER:-$base} -o figure6.fertility.jsonl"
step figure6.likeness.jsonl 'Likeness to English, and retrieval' \
    "llamax analyze representation aligned.jsonl --model $base -o figure6.likeness.jsonl"
step figure6.md 'Correlations' "llamax analyze representation aligned.jsonl --model $base \
--fertility figure6.fertility.jsonl --summary --table md -o figure6.md"
report figure6 model=figure6.fertility.jsonl,figure6.likeness.jsonl --figures $picture

paper 'Figure 6: fertility and representation of LLaMA2' <<'TABLE'
| language | fertility |
| --- | ---: |
| ro | 2.25 |
| el | 6.52 |
| bn | 8.62 |

Spearman's correlation with cosine and with R@1, over 102 languages: about -0.88.
TABLE
ours figure6.md report/figure6/tables/analysis.md
[ -n "$dry" ] || printf '\nThe figure: %s\n' "$WORK/report/figure6/figures/fertility.$picture"
