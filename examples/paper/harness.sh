# Benchmarks by lm-evaluation-harness, for Table 6 and the later recipe. `pip install 'llamax[lm-eval]'` first.

# make_benchmarks TASKS: what `harness` measures. At SCALE=paper these tasks of the harness, which come from the hub; at
# SCALE=small XCOPA and MGSM out of files, and the perplexity of English sentences; QUESTIONS of each.
make_benchmarks() {
    if [ "$SCALE" = paper ]; then
        benchmarks="--tasks $1 --confirm_run_unsafe_code" loaded=
        return
    fi
    # MGSM is asked for the number alone, so that a few tokens are enough.
    benchmarks="--include_path tasks --tasks xcopa_zh_local,xcopa_ta_local,xcopa_th_local,mgsm_direct_en_local,\
perplexity_eng_local \
--gen_kwargs max_gen_toks=16 --limit ${QUESTIONS:-100} --batch_size 8" loaded=,dtype=float32
    step tasks 'The benchmarks, as tasks of lm-eval' \
        'python examples/paper/local_tasks.py data/xcopa/data data/mgsm data/flores101/devtest/eng.devtest tasks'
    export HF_DATASETS_OFFLINE=1 HF_HUB_OFFLINE=1
}

# harness NAME MODEL: results of a model, in lm-eval/NAME.
harness() {
    step "lm-eval/$1" "Benchmarks of $1" "python -m lm_eval --model hf --model_args pretrained=$2$loaded $benchmarks \
--output_path lm-eval/$1"
}
