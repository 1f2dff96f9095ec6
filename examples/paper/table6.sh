#!/usr/bin/env bash
# Table 6: general ability in English before and after continual pre-training, by an evaluation harness.
#
#   pip install lm-eval && SCALE=paper DATA=/data bash examples/paper/table6.sh
#
# The benchmarks come from the Hugging Face hub and the paper's numbers from OpenCompass, so this needs a network; below
# SCALE=paper only the paper's table is printed. Any model of the chain is a folder that lm-eval loads.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

paper 'Table 6: general benchmarks in English' <<'TABLE'
| system | MMLU | BBH | NQ | HellaSwag | Winogrande | GSM8K | MATH | HumanEval | MBPP | average |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| LLaMA2-Alpaca | 44.22 | 37.95 | 24.32 | 31.12 | 61.09 | 14.03 | 3.82 | 14.63 | 27.63 | 28.76 |
| LLaMAX2-Alpaca | 44.60 | 38.25 | 23.21 | 33.75 | 61.48 | 12.21 | 3.74 | 12.20 | 25.29 | 28.30 |
TABLE
if [ "$SCALE" != paper ]; then
    echo "## Here, SCALE=$SCALE"
    echo
    echo 'The benchmarks are on the Hugging Face hub: SCALE=paper only.'
    exit
fi
make_llamax
for system in base-alpaca llamax-alpaca; do
    step "lm-eval/$system" "Benchmarks of $system" "lm_eval --model hf --model_args pretrained=$system/model \
--tasks mmlu,bbh,nq_open,hellaswag,winogrande,gsm8k,hendrycks_math,humaneval,mbpp \
--confirm_run_unsafe_code --output_path lm-eval/$system"
done
report table6 LLaMA2-Alpaca=lm-eval/base-alpaca LLaMAX2-Alpaca=lm-eval/llamax-alpaca --figures none
ours report/table6/tables/tasks.md
