#!/usr/bin/env bash
# Translate FLORES with a model and score every direction: a heat map of the matrix and the paper's summary.
#
#   PAIRS=en-sw,sw-en; llamax convert flores101/dev --pairs $PAIRS | python examples/tiny_model.py tiny-llamax
#   MODEL=tiny-llamax PAIRS=$PAIRS SAMPLE=20 bash examples/evaluate.sh flores101/devtest results
#   MODEL=LLaMAX/LLaMAX3-8B-Alpaca PAIRS='*-*' bash examples/evaluate.sh flores101/devtest matrix
#
# The first two lines take a minute and 20 sentences a direction. The third is the paper's matrix, 10,302 directions of
# 1,012 sentences, and work for many GPUs, of which LAUNCH="accelerate launch --multi_gpu -m llamax_cli" takes all.
# PAIRS are all out of and into English unless said. METRIC is spbleu, whose pieces are fetched once. OPTIONS go to
# `llamax translate` ("--engine vllm --dtype float16"). Run again after an interruption, it goes on, as each step names
# its file and resumes it; other settings need another folder.
set -euo pipefail

corpus=$1 results=$2
choose=(--pairs "${PAIRS:-en-*,*-en}")
[ -n "${SAMPLE:-}" ] && choose+=(--sample "$SAMPLE")
model=(--model "$MODEL" ${OPTIONS:-})
mkdir -p "$results"

llamax convert "$corpus" "${choose[@]}" -o "$results/pairs.jsonl" --resume
${LAUNCH:-llamax} translate "$results/pairs.jsonl" "${model[@]}" -o "$results/mt.jsonl" --resume
llamax langid "$results/mt.jsonl" -o "$results/translations.jsonl" --resume
llamax score "$results/translations.jsonl" --metric "${METRIC:-spbleu}" -o "$results/scores.jsonl" --resume
llamax score "$results/scores.jsonl" --heatmap "$results/heatmap.png" --summary --table md -o "$results/summary.md"
