#!/usr/bin/env bash
# Figure 5: translations out of Chinese and Japanese into every language, by models that were made for these two
# languages and by LLaMAX.
#
#   bash examples/paper/figure5.sh
#
# The models are those of Tables 7 and 13.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source examples/paper/specific.sh

make_llamax
tables=()
for code in zh $like_ja; do
    make_specific $code
    systems=()
    for system in base-alpaca specific-$code-alpaca llamax-alpaca; do
        translate $system $system/model llamax-alpaca
        score $system
        systems+=("$system=$system.scores.jsonl")
    done
    report figure5-$code "${systems[@]}" --metric spbleu --central $code --figures $picture
    tables+=(report/figure5-$code/tables/spbleu-$code.md)
done

paper 'Figure 5: out of Chinese and Japanese, by language' <<'TABLE'
A line for each system over 101 languages, without numbers in the figure. Averages on the scores that the authors publish:

| system | zh-x | x-zh |
| --- | ---: | ---: |
| LLaMA2-Alpaca | 3.80 | 4.46 |
| ChineseLLaMA2-Alpaca | 2.31 | 6.15 |
| LLaMAX2-Alpaca | 14.17 | 13.53 |
TABLE
ours "${tables[@]}"
[ -n "$dry" ] || printf '\nThe figures: %s\n' "$WORK/report/figure5-zh/figures" "$WORK/report/figure5-$like_ja/figures"
