#!/usr/bin/env bash
# Table 6: general ability in English before and after continual pre-training, by an evaluation harness.
#
#   pip install 'llamax[lm-eval]'
#   SCALE=small DATA=/data bash examples/paper/table6.sh
#   SCALE=paper DATA=/data bash examples/paper/table6.sh
#
# At SCALE=paper the benchmarks come from the Hugging Face hub; the paper's numbers are those of OpenCompass. At
# SCALE=small they are XCOPA and MGSM in the folders xcopa/data and mgsm of DATA, and the perplexity of the English side
# of FLORES-101, which no training has seen, QUESTIONS of each task (100), and no network is needed. The made-up corpus
# has no benchmark. Any model of the chain is a folder that lm-eval loads.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source examples/paper/harness.sh

paper 'Table 6: general benchmarks in English' <<'TABLE'
| system | MMLU | BBH | NQ | HellaSwag | Winogrande | GSM8K | MATH | HumanEval | MBPP | average |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| LLaMA2-Alpaca | 44.22 | 37.95 | 24.32 | 31.12 | 61.09 | 14.03 | 3.82 | 14.63 | 27.63 | 28.76 |
| LLaMAX2-Alpaca | 44.60 | 38.25 | 23.21 | 33.75 | 61.48 | 12.21 | 3.74 | 12.20 | 25.29 | 28.30 |
TABLE
if [ "$SCALE" = tiny ]; then
    echo "## Here, SCALE=$SCALE"
    echo
    echo 'The made-up corpus has no such benchmark: SCALE=small or SCALE=paper.'
    exit
fi
make_llamax
make_benchmarks mmlu,bbh,nq_open,hellaswag,winogrande,gsm8k,hendrycks_math,humaneval,mbpp
harness base-alpaca base-alpaca/model
harness llamax-alpaca llamax-alpaca/model
report table6 LLaMA2-Alpaca=lm-eval/base-alpaca LLaMAX2-Alpaca=lm-eval/llamax-alpaca --figures none
ours report/table6/tables/tasks.md report/table6/tables/perplexity.md
