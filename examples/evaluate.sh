#!/usr/bin/env bash
# Translate FLORES with a model and score every direction: a heat map of the matrix and the paper's summary.
#
#   MODEL=tiny-llamax PAIRS='en-*' SAMPLE=20 bash examples/evaluate.sh flores101/devtest results
#   MODEL=LLaMAX/LLaMAX3-8B-Alpaca PAIRS='*-*' bash examples/evaluate.sh flores101/devtest results
#
# The first takes 20 sentences a direction; the second is the paper's matrix, 10,302 directions of 1,012 sentences, and
# work for many GPUs: give `llamax translate` a --shard of pairs.jsonl on each. PAIRS are all into and out of English
# unless said. OPTIONS go to `llamax translate` ("--engine vllm --dtype float16"), METRIC is spbleu unless said.
# Run again after an interruption, it goes on: each step names its file and resumes it.
set -euo pipefail

corpus=$1 results=$2
sample=()
[ -n "${SAMPLE:-}" ] && sample=(--sample "$SAMPLE")
read -ra options <<<"${OPTIONS:-}"
mkdir -p "$results"

llamax convert "$corpus" --pairs "${PAIRS:-en-*,*-en}" "${sample[@]}" -o "$results/pairs.jsonl" --resume
llamax translate "$results/pairs.jsonl" --model "$MODEL" "${options[@]}" -o "$results/mt.jsonl" --resume
llamax langid "$results/mt.jsonl" -o "$results/translations.jsonl" --resume
llamax score "$results/translations.jsonl" --metric "${METRIC:-spbleu}" -o "$results/scores.jsonl" --resume
llamax score "$results/scores.jsonl" --heatmap "$results/heatmap.png" --summary --table md -o "$results/summary.md"
