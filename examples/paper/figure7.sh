#!/usr/bin/env bash
# Figure 7: LLaMAX against GPT-4 in all directions between seven languages.
#
#   bash examples/paper/figure7.sh
#   OPENAI_API_KEY=... SCALE=paper DATA=/data bash examples/paper/figure7.sh
#
# Below SCALE=paper the tuned base model stands in for GPT-4.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_llamax
translate llamax-alpaca llamax-alpaca/model llamax-alpaca
score llamax-alpaca
other=base-alpaca
if [ "$SCALE" = paper ]; then
    other=gpt-4
    among=$(for one in $central; do for two in $central; do [ $one = $two ] || echo $one-$two; done; done | paste -sd ,)
    step seven.jsonl 'Directions between seven languages' "llamax convert $evaluation --pairs $among -o seven.jsonl"
    step gpt-4.mt.jsonl 'Translations by GPT-4' 'llamax translate seven.jsonl --engine openai --model gpt-4 \
--server https://api.openai.com/v1 -o gpt-4.mt.jsonl'
else
    translate base-alpaca base-alpaca/model llamax-alpaca
fi
score $other
report figure7 $other=$other.scores.jsonl LLaMAX=llamax-alpaca.scores.jsonl --central "${central// /,}" --gap $other:LLaMAX --figures $picture
step figure7.md 'Each direction: LLaMAX, against the other' "llamax score llamax-alpaca.mt.jsonl \
--against $other.mt.jsonl ${metrics/,comet/} --table md -o figure7.md"

paper 'Figure 7: spBLEU of LLaMAX2 less that of GPT-4' <<'TABLE'
| into, from | en | zh | de | ne | ar | az | ceb |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| en |  | -2.0 | -3.0 | -2.6 | -5.6 | -2.5 | -4.5 |
| zh | -6.7 |  | -5.8 | -3.1 | -6.2 | -2.8 | -4.3 |
| de | -9.7 | -5.6 |  | -4.8 | -8.0 | -4.0 | -7.0 |
| ne | +4.0 | +4.0 | +4.7 |  | +2.7 | +2.4 | +2.9 |
| ar | -6.3 | -2.9 | -4.4 | -2.0 |  | -2.4 | -3.2 |
| az | -0.1 | +0.5 | +0.2 | +1.8 | -0.5 |  | +0.2 |
| ceb | +0.1 | +0.2 | +0.4 | -1.3 | -0.3 | -1.2 |  |
TABLE
ours figure7.md report/figure7/tables/gap-spbleu.md
[ -n "$dry" ] || printf '\nThe figure: %s\n' "$WORK/report/figure7/figures/gap-spbleu.$picture"
