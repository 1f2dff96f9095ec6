#!/usr/bin/env bash
# Figure 1: how many directions are above 10 spBLEU, out of and into English and Arabic, for each system of Table 4.
#
#   bash examples/paper/figure1.sh
#   PUBLISHED=LLaMAX/experiment_results bash examples/paper/figure1.sh
#
# At SCALE=tiny Chinese stands in for Arabic, at SCALE=small Tamil. PUBLISHED is the folder of the scores that the
# authors publish; the figure is then also drawn of these.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_llamax
systems=()
for system in base base-alpaca llamax-alpaca; do
    model=$system/model template=llamax-alpaca
    [ $system != base ] || model=$base template=$plain
    translate $system "$model" $template
    score $system
    systems+=("$system=$system.scores.jsonl")
done
report figure1 "${systems[@]}" --metric spbleu --central en,$like_ar --figures $picture
tables=(report/figure1/tables/spbleu-{en,$like_ar}.md)
if [ -n "${PUBLISHED:-}" ]; then
    report figure1-published $(for each in "$PUBLISHED"/*/; do echo "$(basename "$each")=$each"; done) \
        --metric spbleu --central en,ar --figures $picture
    tables+=(report/figure1-published/tables/spbleu-{en,ar}.md)
fi

paper 'Figure 1: directions above 10 spBLEU, of 101' <<'TABLE'
Points of eight systems, without numbers in the figure. Counted on the scores that the authors publish they are:

| system | en-x above 10 | x-en above 10 | ar-x above 10 | x-ar above 10 |
| --- | ---: | ---: | ---: | ---: |
| Aya-23-8B | 35 | 61 | 30 | 51 |
| LLaMA2-7B | 15 | 42 | 1 | 0 |
| LLaMA3-8B | 12 | 69 | 4 | 0 |
| LLaMAX2-Alpaca-7B | 86 | 95 | 83 | 91 |
| MADLAD-7B | 85 | 96 | 84 | 90 |
| PolyLM-13B | 18 | 29 | 1 | 3 |
| TowerInstruct-7B | 30 | 54 | 12 | 0 |
| Yayi2-30B | 34 | 67 | 6 | 0 |
TABLE
ours "${tables[@]}"
[ -n "$dry" ] || printf '\nThe figure: %s\n' "$WORK/report/figure1/figures/above-10-spbleu.$picture"
