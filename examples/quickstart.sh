#!/usr/bin/env bash
# The whole recipe on a small scale: from dictionaries and a corpus to a model that translates, and to its scores.
#
#   bash examples/quickstart.sh
#   bash examples/quickstart.sh FOLDER
#
# Works in ./quickstart or another FOLDER; makes .venv first where no llamax is at hand. After that it needs no network
# and on two cores less than five minutes. Run again, it goes on: lines that came to their end are passed over, and
# training goes on at its last checkpoint.
set -euo pipefail

clone=$(cd "$(dirname "$0")/.." && pwd)
# llamax and python have to be of one environment.
{ command -v llamax && python -c 'import llamax_cli, sentencepiece'; } >/dev/null 2>&1 || {
    bash "$clone/examples/install.sh"
    export PATH="$clone/.venv/bin:$PATH"
}
export HF_HUB_OFFLINE=1
# Matrices this small gain nothing from more threads, and threads that spin slow down whoever shares the machine.
export OMP_NUM_THREADS=2 OMP_WAIT_POLICY=passive
mkdir -p "${1:-quickstart}"
cd "${1:-quickstart}"
[ examples -ef "$clone/examples" ] || ln -sfn "$clone/examples" examples

# Show a line and run it, unless it came to its end before and its output is still there.
step() {
    local output=$1 purpose=$2 line=$3
    printf '\n# %s\n$ %s\n' "$purpose" "$line"
    if [ -e "$output" ] && grep -qsxF "$line" done; then
        echo "$output is there"
    else
        eval "$line"
        echo "$line" >>done
    fi
}

step lexicon.lex 'One lexicon of five dictionaries' \
    'llamax build-lexicon examples/data/dictionaries -o lexicon.lex'
step pairs.jsonl 'Pairs of English and each other language' \
    "llamax convert examples/data/train.* --pairs 'en-*' -o pairs.jsonl"
step texts.jsonl 'Texts in each language alone' \
    "llamax convert examples/data/text.* --mono '*' -o texts.jsonl"
step augmented.jsonl 'Words of the English sides in other languages' \
    'llamax augment pairs.jsonl --dict lexicon.lex -o augmented.jsonl'
step mix.jsonl 'One epoch of samples, without the sentences held out' \
    'llamax mix --para pairs.jsonl --mono texts.jsonl --aug augmented.jsonl --exclude examples/data/test.* -o mix.jsonl'
step untrained 'A small LLaMA that has learnt nothing, and its tokenizer' \
    "llamax convert examples/data/train.* --mono '*' | python examples/untrained_llama.py untrained"
step trained/model 'Pre-training from scratch' \
    'llamax train --model untrained --init --data mix.jsonl --config examples/quickstart.toml --resume auto -o trained'
step instructions.jsonl 'Instructions to translate, in the form of Alpaca' \
    "llamax convert examples/data/train.* --pairs 'en-*,*-en' --sample 1000 | python examples/instructions.py > instructions.jsonl"
step tuned/model 'Instruction tuning' \
    'llamax tune --model trained/model --data instructions.jsonl --config examples/quickstart.toml --set batch=32 --resume auto -o tuned'
step test.jsonl 'Sentences held out: with English, as in training, and without' \
    "llamax convert examples/data/test.* --pairs 'en-*,*-en,de-zh,zh-tr,tr-es,fr-de' -o test.jsonl"
step translations.jsonl 'Translations, and the language that each is in' \
    'llamax translate test.jsonl --model tuned/model --template llamax-alpaca --max-new-tokens 40 | llamax langid -o translations.jsonl'
step pivoted.jsonl 'Those in the wrong language once more, by way of English' \
    'llamax pivot translations.jsonl --only off-target --model tuned/model --template llamax-alpaca --max-new-tokens 40 | llamax langid -o pivoted.jsonl'
step untrained.jsonl 'The same of the model that has learnt nothing' \
    'llamax translate test.jsonl --model untrained --template llamax-alpaca --max-new-tokens 40 | llamax langid -o untrained.jsonl'
step untrained.scores.jsonl 'Scores of the model that has learnt nothing; pieces of spBLEU are those learnt from this corpus' \
    'llamax score untrained.jsonl --metric chrf++,spbleu --spm untrained/tokenizer.model -o untrained.scores.jsonl'
step tuned.scores.jsonl 'Scores of the tuned model' \
    'llamax score pivoted.jsonl --metric chrf++,spbleu --spm untrained/tokenizer.model -o tuned.scores.jsonl'
step report 'Both side by side: tables, and a page with scores and translations' \
    'llamax report Untrained=untrained.scores.jsonl,untrained.jsonl Tuned=tuned.scores.jsonl,pivoted.jsonl --central en --figures none -o report'
step pivoted.md 'Scores of what came by way of English' \
    "sed -n '/pivot/p' pivoted.jsonl | llamax score --metric chrf++,spbleu --spm untrained/tokenizer.model --table md -o pivoted.md"

printf '\n'
cat report/tables/spbleu-en.md report/tables/chrf++-en.md
printf '\n# Trained and tuned, by way of English\n\n'
cat pivoted.md
printf '\nA page to look around in: %s\n' "$PWD/report/index.html"
