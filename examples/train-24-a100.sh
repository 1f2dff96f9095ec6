#!/usr/bin/env bash
#SBATCH --job-name=llamax
#SBATCH --nodes=3
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --cpus-per-task=64
#SBATCH --time=48:00:00
#SBATCH --signal=USR1@600
#SBATCH --requeue
# Train a 7B or 8B on what llamax mix wrote, on three nodes of eight A100 80 GB under Slurm.
#
#   sbatch examples/train-24-a100.sh llama2-7b mix.jsonl run
#   bash examples/train-24-a100.sh llama2-7b mix.jsonl run --preflight --throughput 4600
#
# A node that dies ends the job, which Slurm queues again; a process that dies ends it at once (--kill-on-bad-exit).
#
# The batch is 192 blocks of 2,048 tokens, 393,000 tokens a step: eight blocks on each of 24 GPUs. A job that runs out of
# time has written a checkpoint ten minutes before; queued again, it goes on from there.
set -euo pipefail

model=$1 data=$2 output=$3
shift 3
start=()
[ -n "${SLURM_JOB_ID:-}" ] && start=(srun --kill-on-bad-exit=1)
machines=()
[ -n "${SLURM_JOB_ID:-}" ] || machines=(-- --num_machines 3 --num_processes 24)

"${start[@]}" llamax train --model "$model" --data "$data" -o "$output" --resume auto \
    --set batch=192 --set micro_batch=8 --set learning_rate=2e-5 "$@" "${machines[@]}"
