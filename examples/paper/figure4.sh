#!/usr/bin/env bash
# Figure 4: languages that the mixture has, and languages that it has not, before and after continual pre-training.
#
#   bash examples/paper/figure4.sh
#
# The paper translates FLORES-200, half of which is not in its 102 languages. At SCALE=tiny and SCALE=small a model is
# trained on a mixture without some of the languages, and asked for all.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_llamax
if [ "$SCALE" = paper ]; then
    trained=llamax-alpaca test=flores200
    seen=$(python -c 'from llamax_cli.languages import languages; print(*languages(), sep=",")')
    unseen=$(ls data/flores200/devtest 2>/dev/null | cut -d . -f 1 | paste -sd ,)
    step flores200.jsonl 'FLORES-200' "llamax convert data/flores200/devtest --pairs 'en-*,*-en' -o flores200.jsonl"
else
    trained=without-alpaca test=test
    case $SCALE in tiny) unseen=fr,es ;; small) unseen=es,th ;; esac
    seen=$(tr ' ' '\n' <<<"$languages" | grep -vxE "en|${unseen//,/|}" | paste -sd ,)
    step without.mix.jsonl "A mixture without $unseen" "grep -vE '\"(src|tgt)_lang\":\"(${unseen//,/|})\"' pairs.jsonl |
    llamax mix --para - -o without.mix.jsonl --manifest without.mix.json"
    train without "$base" without.mix.jsonl
    tune without-alpaca without/model
fi
systems=()
for system in base-alpaca $trained; do
    name=$system
    [ "$SCALE" != paper ] || name=$system.$test
    step $name.mt.jsonl "Translations by $system" "llamax translate $test.jsonl --model $system/model \
--template llamax-alpaca $asking -o $name.mt.jsonl"
    score $name
    systems+=("$system=$name.scores.jsonl")
done
report figure4-seen "${systems[@]}" --central en --not "$unseen"
report figure4-unseen "${systems[@]}" --central en --not "$seen"

paper 'Figure 4: FLORES-200, average spBLEU over languages of the training data and others' <<'TABLE'
| system | en-x seen | en-x unseen | x-en seen | x-en unseen |
| --- | ---: | ---: | ---: | ---: |
| LLaMA2-Alpaca | 9.44 | 6.04 | 16.44 | 11.89 |
| LLaMAX2-Alpaca | 23.17 | 14.44 | 30.63 | 22.14 |
TABLE
ours report/figure4-{seen,unseen}/tables/spbleu-en.md
[ -n "$dry" ] || printf '\nThe figures: %s\n' "$WORK/report/figure4-seen/figures" "$WORK/report/figure4-unseen/figures"
