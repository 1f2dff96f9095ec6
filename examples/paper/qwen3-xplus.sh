#!/usr/bin/env bash
# The authors' later recipe (Gao et al. 2025, arXiv 2510.09189, "LLaMAX2"): an instruct model learns to translate from a
# small parallel corpus, and only its outer layers learn. First the 4 layers next to the embeddings are trained, then
# the 15 layers at the other end; all other weights are frozen. Then: does it translate better, and does it still reason?
#
#   bash examples/paper/qwen3-xplus.sh
#   SCALE=small DATA=/data bash examples/paper/qwen3-xplus.sh
#
# Qwen3 and 0.8 billion tokens in the paper, SmolLM2-135M-Instruct at SCALE=small. Layers and tokens are as summaries of
# the paper give them; learning rate and batch, which they do not give, are those of `llamax tune`. Reasoning is measured
# with lm-eval (`pip install 'llamax[lm-eval]'`), and not at SCALE=tiny.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source examples/paper/harness.sh

make_corpora
case $SCALE in
tiny)
    make_base
    start=base template=llamax-alpaca bottom='{0..0}' middle='{1..1}' top='{2..2}' outside='"model.embed_tokens.*","model.norm.*"'
    form='' ;;
small)
    make_base
    start=base template=chat bottom='{0..3}' middle='{4..14}' top='{15..29}' outside='"model.embed_tokens.*","model.norm.*"'
    form=chat ;;
paper)
    start=${MODEL:-Qwen/Qwen3-8B} template=qwen3 bottom='{0..3}' middle='{4..20}' top='{21..35}'
    outside='"model.embed_tokens.*","model.norm.*","lm_head.*"' form=qwen3 metrics='--metric spbleu,xcomet-xl' ;;
esac
layers() { printf '"model.layers.%s.*",' "$@"; }

step xplus.pairs.jsonl 'A small parallel corpus, its dirt left out' "llamax convert pairs.jsonl \
--filter length-ratio=3,script-share=0.5,digits=0.5 -o xplus.pairs.jsonl"
step xplus.chats.jsonl 'The same as instructions in the words of the template' \
    "python examples/instructions.py $form <xplus.pairs.jsonl >xplus.chats.jsonl"
step xplus-bottom/model 'Train the layers next to the embeddings' "llamax tune --model $start --data xplus.chats.jsonl \
--set 'freeze=[$(layers "$middle" "$top")$outside]' $tuning --resume auto -o xplus-bottom"
step xplus/model 'Then those at the other end' "llamax tune --model xplus-bottom/model --data xplus.chats.jsonl \
--set 'freeze=[$(layers "$bottom" "$middle")$outside]' $tuning --resume auto -o xplus"

translate instruct "$start" $template
translate xplus xplus/model $template
score instruct
score xplus
report qwen3-xplus Instruct=instruct.scores.jsonl XPlus=xplus.scores.jsonl --central en --figures none
tables=(report/qwen3-xplus/tables/spbleu-en.md)
if [ "$SCALE" != tiny ]; then
    make_benchmarks gsm8k,hendrycks_math,bbh,mgsm_direct
    harness instruct "$start"
    harness xplus xplus/model
    report qwen3-xplus-reasoning Instruct=lm-eval/instruct XPlus=lm-eval/xplus --figures none
    tables+=(report/qwen3-xplus-reasoning/tables/tasks.md)
fi

paper 'LLaMAX2: Qwen3-XPlus' <<'TEXT'
The abstract states 15+ spBLEU and 40+ xCOMET in low-resource languages such as Swahili, 1+ points more on average on 7
multilingual tasks, and results comparable to those of the instruct model on 15 reasoning datasets.
TEXT
ours "${tables[@]}"
