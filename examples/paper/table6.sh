#!/usr/bin/env bash
# Table 6: general ability in English before and after continual pre-training, by an evaluation harness.
#
#   pip install 'llamax[lm-eval]'
#   SCALE=small DATA=/data bash examples/paper/table6.sh
#   SCALE=paper DATA=/data bash examples/paper/table6.sh
#
# At SCALE=paper the benchmarks come from the Hugging Face hub; the paper's numbers are those of OpenCompass. At
# SCALE=small they are XCOPA and MGSM in the folders xcopa/data and mgsm of DATA, QUESTIONS of each task (100), and no
# network is needed. The made-up corpus has no benchmark. Any model of the chain is a folder that lm-eval loads.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

paper 'Table 6: general benchmarks in English' <<'TABLE'
| system | MMLU | BBH | NQ | HellaSwag | Winogrande | GSM8K | MATH | HumanEval | MBPP | average |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| LLaMA2-Alpaca | 44.22 | 37.95 | 24.32 | 31.12 | 61.09 | 14.03 | 3.82 | 14.63 | 27.63 | 28.76 |
| LLaMAX2-Alpaca | 44.60 | 38.25 | 23.21 | 33.75 | 61.48 | 12.21 | 3.74 | 12.20 | 25.29 | 28.30 |
TABLE
case $SCALE in
tiny)
    echo "## Here, SCALE=$SCALE"
    echo
    echo 'The made-up corpus has no such benchmark: SCALE=small or SCALE=paper.'
    exit ;;
small)
    # MGSM is asked for the number alone, so that a few tokens are enough.
    benchmarks="--include_path tasks --tasks xcopa_zh_local,xcopa_ta_local,xcopa_th_local,mgsm_direct_en_local \
--gen_kwargs max_gen_toks=16 --limit ${QUESTIONS:-100} --batch_size 8" settings=,dtype=float32
    make_llamax
    step tasks 'The benchmarks, as tasks of lm-eval' 'python examples/paper/local_tasks.py data/xcopa/data data/mgsm tasks'
    export HF_DATASETS_OFFLINE=1 HF_HUB_OFFLINE=1 ;;
paper)
    benchmarks='--tasks mmlu,bbh,nq_open,hellaswag,winogrande,gsm8k,hendrycks_math,humaneval,mbpp --confirm_run_unsafe_code'
    settings=
    make_llamax ;;
esac
for system in base-alpaca llamax-alpaca; do
    step "lm-eval/$system" "Benchmarks of $system" "python -m lm_eval --model hf \
--model_args pretrained=$system/model$settings $benchmarks --output_path lm-eval/$system"
done
report table6 LLaMA2-Alpaca=lm-eval/base-alpaca LLaMAX2-Alpaca=lm-eval/llamax-alpaca --figures none
ours report/table6/tables/tasks.md
