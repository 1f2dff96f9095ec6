#!/usr/bin/env bash
# Figure 4: languages that the mixture has, and languages that it has not, before and after continual pre-training.
#
#   bash examples/paper/figure4.sh
#
# The paper translates FLORES-200, half of which is not in its 102 languages. At SCALE=tiny and SCALE=small a model is
# trained on a mixture without some of the languages, and asked for all.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_llamax
systems=(base-alpaca llamax-alpaca) named=.scores.jsonl
if [ "$SCALE" = paper ]; then
    # The languages of FLORES-101 have the scores of Table 4; the others are asked for with FLORES-200.
    seen=$(python -c 'from llamax_cli.languages import languages; print(*languages(), sep=",")') unseen=
    step flores200.jsonl 'FLORES-200' "llamax convert data/flores200/devtest --pairs 'en-*,*-en' -o flores200.jsonl"
    for system in "${systems[@]}"; do
        translate $system $system/model llamax-alpaca
        score $system
        step $system.flores200.mt.jsonl "FLORES-200 by $system" "llamax translate flores200.jsonl \
--model $system/model --template llamax-alpaca $asking -o $system.flores200.mt.jsonl"
        score $system.flores200
    done
    named=.flores200.scores.jsonl
else
    case $SCALE in tiny) unseen=fr,es ;; small) unseen=es,th ;; esac
    seen=$(tr ' ' '\n' <<<"$languages" | grep -vxE "en|${unseen//,/|}" | paste -sd ,)
    step without.mix.jsonl "A mixture without $unseen" "grep -vE '\"(src|tgt)_lang\":\"(${unseen//,/|})\"' pairs.jsonl | \
llamax mix --para - -o without.mix.jsonl --manifest without.mix.json"
    train without "$base" without.mix.jsonl
    tune without-alpaca without/model
    systems=(base-alpaca without-alpaca)
    for system in "${systems[@]}"; do
        translate $system $system/model llamax-alpaca
        score $system
    done
fi
files=() others=()
for system in "${systems[@]}"; do
    files+=("$system=$system.scores.jsonl") others+=("$system=$system$named")
done
report figure4-seen "${files[@]}" --central en ${unseen:+--not $unseen} --figures $picture
report figure4-unseen "${others[@]}" --central en --not "$seen" --figures $picture

paper 'Figure 4: FLORES-200, average spBLEU over languages of the training data and others' <<'TABLE'
| system | en-x seen | en-x unseen | x-en seen | x-en unseen |
| --- | ---: | ---: | ---: | ---: |
| LLaMA2-Alpaca | 9.44 | 6.04 | 16.44 | 11.89 |
| LLaMAX2-Alpaca | 23.17 | 14.44 | 30.63 | 22.14 |
TABLE
ours report/figure4-{seen,unseen}/tables/spbleu-en.md
[ -n "$dry" ] || printf '\nThe figures: %s\n' "$WORK/report/figure4-seen/figures" "$WORK/report/figure4-unseen/figures"
