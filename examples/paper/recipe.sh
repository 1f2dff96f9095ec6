#!/usr/bin/env bash
# The recipe from end to end with French, German and English: lexicon, augmentation, mixture, continued pre-training,
# tuning, translation, languages of the translations, pivoting, scores, and one page of all of it.
#
#   bash examples/paper/recipe.sh
#   SCALE=small DATA=/data bash examples/paper/recipe.sh
#   SCALE=small DATA=/data bash examples/paper/recipe.sh --dry-run
#
# At SCALE=small it takes at most 80 processor minutes, 40 minutes on two cores, and DATA has to hold flores101, muse,
# panlex, gatitos, ntrex128, tatoeba and sacrebleu. Most tokens are French into English; the rest are German into English
# and English into French, by way of which German becomes French. TRAIN_STEPS and TUNE_STEPS cut training and tuning
# short; SENTENCES is how many are translated into English (200), and PIVOTED how many into French (three in ten of
# them). The authors' sizes are those of table4.sh.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

paper 'The recipe: Table 4 of the paper, average spBLEU on FLORES-101' <<'TABLE'
| system | en-x | x-en | de-x | x-de |
| --- | ---: | ---: | ---: | ---: |
| LLaMA2 7B | 4.21 | 11.80 | 2.14 | 3.22 |
| LLaMA2-Alpaca 7B | 9.44 | 16.44 | 6.82 | 9.01 |
| LLaMAX2-Alpaca 7B | 23.17 | 30.63 | 18.96 | 19.26 |
TABLE
# sizes: pairs to connect, to augment, texts to augment; to tune on, news, short sentences, into French, out of German.
case $SCALE in
tiny)
    news='examples/data/train.*' short=$news dictionaries=examples/data/dictionaries
    sizes=(12 12 8 16 8 8 8) tested=4 pivoted=4
    learning='--set block=256 --set batch=1 --set gradient_checkpointing=false'
    TRAIN_STEPS=${STEPS:-2} TUNE_STEPS=${STEPS:-2}
    asking='--beam 1 --max-new-tokens 4' ;;
small)
    news=$(printf "data/ntrex128/NTREX-128/newstest2019-%s.txt " src.eng ref.fra ref.deu)
    short='data/tatoeba/eng-fra.tsv' dictionaries='data/muse data/panlex data/gatitos'
    sizes=(200 200 150 1400 700 200 100) tested=${SENTENCES:-200} pivoted=${PIVOTED:-$((${SENTENCES:-200} * 3 / 10))}
    learning="--set block=512 --set batch=1 --set learning_rate=5e-4 --set warmup=0.1 $quick"
    asking="--beam 1 --max-new-tokens 100${bf16:+ --dtype bfloat16}" ;;
paper)
    echo "## Here, SCALE=$SCALE"
    echo
    echo 'This is what table4.sh does at the sizes of the paper.'
    exit ;;
esac
training="$learning${TRAIN_STEPS:+ --set max_steps=$TRAIN_STEPS}"
tuning="$learning --set batch_of=blocks --set epochs=1${TUNE_STEPS:+ --set max_steps=$TUNE_STEPS}"

# draw NAME PART DIRECTION NUMBER FILES: pairs of a part of the files; parts share no segment.
draw() {
    step "recipe/$1.jsonl" "$6" "llamax convert $5 --pairs $3 --part $2 --sample $4 --drop-empty -o recipe/$1.jsonl"
}
make_base
step recipe/lexicon.lex 'One lexicon of all dictionaries' \
    "llamax build-lexicon $dictionaries --only en,fr,de --rejects recipe/rejects.jsonl -o recipe/lexicon.lex"

# Continued pre-training on pairs, on other pairs with words of other languages, and on texts.
draw connected 1/8 fr-en "${sizes[0]}" "$news" 'Pairs to connect'
draw plain 2/8 fr-en "${sizes[1]}" "$news" 'Pairs to augment'
step recipe/texts.jsonl 'Texts' "llamax convert $short --mono fr --sample ${sizes[2]} --drop-empty -o recipe/texts.jsonl"
step recipe/switched.jsonl 'Words of the French sides in other languages' \
    'llamax augment recipe/plain.jsonl --dict recipe/lexicon.lex -o recipe/switched.jsonl'
step recipe/mix.jsonl 'One epoch of samples' "llamax mix --para recipe/connected.jsonl --aug recipe/switched.jsonl \
--mono recipe/texts.jsonl --per-pair 0 --per-language 1000000 --augment-high --flip 0 --exclude $evaluation \
-o recipe/mix.jsonl --manifest recipe/mix.json"
step recipe/trained/model 'Continued pre-training' \
    "llamax train --model $base --data recipe/mix.jsonl $training --resume auto -o recipe/trained"

# Tuning on the prompt of the translations. No sentence of the evaluation sets is in it.
draw news 1/1 fr-en "${sizes[3]}" "$news" 'News to tune on'
draw short 1/1 fr-en "${sizes[4]}" "$short" 'Short sentences to tune on'
draw into-french 1/1 en-fr "${sizes[5]}" "$news" 'Pairs into French'
draw german 1/1 de-en "${sizes[6]}" "$news" 'Pairs out of German'
step recipe/held-out.txt 'Sentences of the evaluation sets, as records write them' \
    "llamax convert $evaluation --mono en,fr,de --drop-empty | sed 's/.*\"text\":\"\\(.*\\)\",\"lang\".*/\\1/' >recipe/held-out.txt"
step recipe/prompts.jsonl 'Prompts and answers' "cat recipe/{news,short,into-french,german}.jsonl | \
grep -vFf recipe/held-out.txt | python examples/instructions.py lines >recipe/prompts.jsonl"
step recipe/tuned/model 'Tuning' "llamax tune --model recipe/trained/model --data recipe/prompts.jsonl $tuning \
--resume auto -o recipe/tuned"

# French into English by the model to begin with and by the tuned one; German into French directly and through English.
step recipe/test.jsonl 'Sentences to translate' \
    "llamax convert $evaluation --pairs fr-en --sample $tested -o recipe/test.jsonl"
step recipe/pivot-test.jsonl 'Sentences to pivot' \
    "llamax convert $evaluation --pairs de-fr --sample $pivoted -o recipe/pivot-test.jsonl"
for system in base tuned; do
    model=$base; [ $system = base ] || model=recipe/tuned/model
    step recipe/$system.jsonl "Translations by $system, and the language of each" "llamax translate recipe/test.jsonl \
--model $model --template lines $asking | llamax langid -o recipe/$system.jsonl"
done
step recipe/direct.jsonl 'German into French' "llamax translate recipe/pivot-test.jsonl --model recipe/tuned/model \
--template lines $asking | llamax langid -o recipe/direct.jsonl"
step recipe/pivoted.jsonl 'The same by way of English' "llamax pivot recipe/pivot-test.jsonl --via en \
--model recipe/tuned/model --template lines $asking | llamax langid -o recipe/pivoted.jsonl"
for system in base tuned direct pivoted; do
    step recipe/$system.scores.jsonl "Scores of $system" \
        "llamax score recipe/$system.jsonl $metrics -o recipe/$system.scores.jsonl"
    step recipe/$system.rates.jsonl "Languages of $system" \
        "llamax langid recipe/$system.jsonl --summary -o recipe/$system.rates.jsonl"
done
step recipe/tests.md 'The tuned model against the one to begin with' \
    "llamax score recipe/tuned.jsonl --against recipe/base.jsonl $metrics --table md -o recipe/tests.md"
step recipe/pivot-tests.md 'Through English against directly' \
    "llamax score recipe/pivoted.jsonl --against recipe/direct.jsonl $metrics --table md -o recipe/pivot-tests.md"
report recipe base=recipe/base.scores.jsonl,recipe/base.rates.jsonl,recipe/base.jsonl \
    tuned=recipe/tuned.scores.jsonl,recipe/tuned.rates.jsonl,recipe/tuned.jsonl \
    direct=recipe/direct.scores.jsonl,recipe/direct.rates.jsonl,recipe/direct.jsonl \
    pivoted=recipe/pivoted.scores.jsonl,recipe/pivoted.rates.jsonl,recipe/pivoted.jsonl --figures none

ours recipe/tests.md recipe/pivot-tests.md report/recipe/tables/spbleu-rows.md recipe/{base,tuned,direct,pivoted}.rates.jsonl
[ -n "$dry" ] || printf '\nThe page: %s\nProcessor minutes of all lines: %s\n' \
    "$WORK/report/recipe/index.html" "$(processor_minutes)"
