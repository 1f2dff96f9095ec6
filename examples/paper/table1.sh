#!/usr/bin/env bash
# Table 1: what new tokens in the vocabulary do. For each number of new tokens: fertility, likeness to English, retrieval
# (R@1), shift of the old embeddings, and translation after tuning.
#
#   bash examples/paper/table1.sh
#
# A language that the model knows well (Romanian) and one that it does not (Bengali), 10,000 pairs of each with English.
# At SCALE=tiny German and Turkish stand in for them, and there are fewer new tokens.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

sizes='0 100 800 1600 6400 12800 25600 51200' pairs=10000
case $SCALE in tiny) sizes='0 20' pairs=20 ;; small) sizes=${SIZES:-0 100 800} pairs=${PAIRS:-300} ;; esac
make_base
tables=()
for code in $(printf '%s\n' $like_ro $like_bn | awk '!seen[$0]++'); do
    step "$code.text.jsonl" 'Text to learn tokens from' "llamax convert $monolingual --mono $code -o $code.text.jsonl"
    step "$code.pairs.jsonl" 'Pairs to tune on' \
        "llamax convert $parallel --pairs en-$code --sample $pairs -o $code.pairs.jsonl"
    step "$code.test.jsonl" 'Sentences to translate' \
        "llamax convert $evaluation --pairs en-$code --sample $sentences -o $code.test.jsonl"
    step "$code.mix.jsonl" 'Samples of them' \
        "llamax mix --para $code.pairs.jsonl --per-pair 0 --flip 0 --exclude $code.test.jsonl -o $code.mix.jsonl"
    step "$code.aligned.jsonl" 'The same sentences in both languages' \
        "llamax convert $evaluation --mono en,$code -o $code.aligned.jsonl"
    names=()
    for size in $sizes; do
        name=$code+$size model=$base
        if [ "$size" != 0 ]; then
            model=extended/$name
            step "$model" "$size new tokens" \
                "llamax extend-vocab $code.text.jsonl --model $base --tokens $size -o $model"
        fi
        train "$name" "$model" "$code.mix.jsonl"
        step "$name.fertility.jsonl" 'Fertility' \
            "llamax analyze fertility $code.aligned.jsonl --tokenizer $model -o $name.fertility.jsonl"
        step "$name.likeness.jsonl" 'Likeness to English, and R@1' \
            "llamax analyze representation $code.aligned.jsonl --model $model -o $name.likeness.jsonl"
        step "$name.shift.md" 'Shift of the embeddings' \
            "llamax analyze shift --base $model --tuned $name/model --table md -o $name.shift.md"
        step "$name.mt.jsonl" 'Translations' "llamax translate $code.test.jsonl --model $name/model \
--template $plain $asking -o $name.mt.jsonl"
        score "$name"
        likelihood "$name" "$name/model" "$code.test.jsonl"
        names+=("$size=$name.scores.jsonl,$name.fertility.jsonl,$name.likeness.jsonl")
    done
    report "table1-$code" "${names[@]}" --central en --figures none
    tables+=("report/table1-$code/tables/analysis.md" "report/table1-$code/tables/spbleu-en.md")
    for size in $sizes; do tables+=("$code+$size.shift.md"); done
    # Whether new tokens help.
    for size in ${LIKELIHOOD:+$sizes}; do [ "$size" = 0 ] || against "$code+$size" "$code+0"; done
done

paper 'Table 1: new tokens in the vocabulary of LLaMA2' <<'TABLE'
| # new tokens | ro fertility | ro cosine | ro R@1 | ro shift distance | ro # shift token | ro spBLEU | bn fertility | bn cosine | bn R@1 | bn shift distance | bn # shift token | bn spBLEU |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| 0 | 2.25 | 0.39 | 0.37 | 0.4708 | 112 | 32.50 | 8.62 | 0.17 | 0.01 | 0.4689 | 112 | 20.12 |
| 100 | 2.19 | 0.36 | 0.34 | 0.4720 | 112 | 28.75 | 4.96 | 0.14 | 0.02 | 0.4680 | 113 | 14.02 |
| 800 | 2.02 | 0.35 | 0.36 | 0.4682 | 113 | 27.78 | 3.21 | 0.13 | 0.02 | 0.4706 | 113 | 10.18 |
| 1,600 | 1.93 | 0.34 | 0.34 | 0.4690 | 113 | 26.40 | 2.78 | 0.13 | 0.02 | 0.4695 | 113 | 1.82 |
| 6,400 | 1.74 | 0.31 | 0.31 | 0.4694 | 113 | 22.66 | 2.15 | 0.12 | 0.02 | 0.4712 | 113 | 1.96 |
| 12,800 | 1.63 | 0.29 | 0.29 | 0.0205 | 1 | 21.95 | 1.95 | 0.12 | 0.02 |  | 0 | 1.84 |
| 25,600 | 1.53 | 0.27 | 0.28 |  | 0 | 19.72 | 1.80 | 0.12 | 0.02 |  | 0 | 2.58 |
| 51,200 | 1.45 | 0.26 | 0.25 | 0.0203 | 1 | 17.79 | 1.70 | 0.12 | 0.03 |  | 0 | 1.14 |
TABLE
ours "${tables[@]}" "${differences[@]}"
