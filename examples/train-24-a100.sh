#!/usr/bin/env bash
#SBATCH --job-name=llamax
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --mem=0
#SBATCH --time=48:00:00
#SBATCH --signal=B:USR1@600
#SBATCH --requeue
#SBATCH --open-mode=append
# Train a 7B or 8B on what llamax mix wrote, on three nodes of eight A100 80 GB under Slurm.
#
#   sbatch examples/train-24-a100.sh llama2-7b mix.jsonl run
#   bash examples/train-24-a100.sh llama2-7b mix.jsonl run --preflight --throughput 4600
#
# A node that dies ends the job, which Slurm queues again; a process that dies ends it at once (--kill-on-bad-exit).
#
# The batch is 192 blocks of 2,048 tokens, 393,000 tokens a step: eight blocks on each of 24 GPUs. Ten minutes before its
# time is up, the job writes a checkpoint and is queued again; it goes on from there, and so on until the model is done.
set -euo pipefail

model=$1 data=$2 output=$3
shift 3
arguments=(--model "$model" --data "$data" -o "$output" --resume auto
    --set batch=192 --set micro_batch=8 --set learning_rate=2e-5 "$@")

if [ -z "${SLURM_JOB_ID:-}" ]; then
    exec llamax train "${arguments[@]}" -- --num_machines 3 --num_processes 24
fi

newest() { find "$output/checkpoints" -maxdepth 1 -name 'step-*' ! -name '*.partial' 2>/dev/null | sort | tail -n 1; }
requeue() {
    local before deadline=$((SECONDS + 500))
    before=$(newest)
    scancel --signal=USR1 "$SLURM_JOB_ID" # reaches the processes, not this script: write a checkpoint
    until [ "$(newest)" != "$before" ] || [ $SECONDS -ge $deadline ]; do sleep 1; done
    scontrol requeue "$SLURM_JOB_ID"
}
trap requeue USR1
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # srun does not take it from sbatch
srun --kill-on-bad-exit=1 llamax train "${arguments[@]}" &
process=$!
code=0
# A signal ends a wait, but not the training.
while wait "$process" || code=$?; [ $code -gt 128 ] && kill -0 "$process" 2>/dev/null; do code=0; done
exit $code
