#!/usr/bin/env bash
# Algorithm 1: the training data of one epoch. Which languages have too few pairs, pairs that a translation model makes
# for these, dictionary augmentation, and the mixture.
#
#   bash examples/paper/algorithm1.sh
#   SCALE=paper DATA=/data EPOCH=1 bash examples/paper/algorithm1.sh
#
# The translation model g is Lego-MT in the paper, and NLLB-200 at SCALE=paper. Below that it is the model to begin with,
# which cannot translate, and where Apertium is installed (apertium-eng-cat), Apertium for Catalan. Catalan counts as
# high-resource, so these pairs need --augment-high.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

least=25000
case $SCALE in tiny) least=120 ;; small) least=3000 ;; esac
make_lexicons
make_corpora
step english.jsonl 'English text to translate' "llamax convert $monolingual --mono en -o english.jsonl"
step missing.jsonl 'Languages with fewer than 25,000 pairs' \
    "llamax mix --plan --para pairs.jsonl --per-language $least -o missing.jsonl"
case $SCALE in
paper)
    step made.jsonl 'Pairs by a translation model' \
        'llamax translate english.jsonl --plan missing.jsonl --model facebook/nllb-200-3.3B -o made.jsonl' ;;
*)
    # Apertium has rules for Catalan, which the corpus lacks: ask for as many pairs as any language has to have.
    catalan=
    modes=$(apertium -l 2>/dev/null || true)
    if [[ $modes == *eng-cat* ]]; then
        step catalan.jsonl 'Catalan, of which there is nothing yet' \
            "echo '{\"src_lang\":\"en\",\"tgt_lang\":\"ca\",\"have\":0,\"missing\":$least}' >catalan.jsonl"
        step made-catalan.jsonl 'Pairs by Apertium' "llamax translate english.jsonl --plan catalan.jsonl --engine command \
--model 'apertium -u {src3}-{tgt3}' -o made-catalan.jsonl"
        catalan=made-catalan.jsonl
    fi
    make_base
    step made-base.jsonl 'Pairs by the model to begin with' "llamax translate english.jsonl --plan missing.jsonl \
--model $base --template $plain $asking -o made-base.jsonl"
    step made.jsonl 'All pairs that were made' "cat made-base.jsonl $catalan >made.jsonl" ;;
esac
step augmented.jsonl 'Words of the sources in other languages' \
    'llamax augment pairs.jsonl --dict muse.lex,panlex.lex -o augmented.jsonl'
step made-augmented.jsonl 'The same of the pairs that were made' \
    "sed 's/\"mt\":/\"tgt\":/' made.jsonl | llamax augment --dict muse.lex,panlex.lex -o made-augmented.jsonl"
epoch=epoch-${EPOCH:-0}
step "$epoch.jsonl" 'One epoch' "llamax mix --para pairs.jsonl --mono texts.jsonl --mt made.jsonl \
--aug augmented.jsonl made-augmented.jsonl --per-language $least --per-pair $least --augment-high --exclude $evaluation \
--epoch ${EPOCH:-0} -o $epoch.jsonl --manifest $epoch.json"
step algorithm1.md 'What is in it' "llamax analyze corpus --mixture $epoch.json --table md -o algorithm1.md"

paper 'Algorithm 1: the data of one training epoch' <<'TABLE'
| step | here |
| --- | --- |
| D_train = {} |  |
| for s in all languages: |  |
| a monolingual subset of s | texts.jsonl |
| for t in all languages: pairs s-t and t-s | pairs.jsonl |
| if there are fewer than 25,000 pairs with s: | missing.jsonl |
| English text, as much as is missing, translated by g | made.jsonl |
| words of it replaced by the dictionary, h(x, z) | made-augmented.jsonl, augmented.jsonl |
| D_train = D_train + monolingual + parallel + augmented | epoch-0.jsonl |
TABLE
ours algorithm1.md
