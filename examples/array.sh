#!/usr/bin/env bash
#SBATCH --job-name=llamax
#SBATCH --array=1-8
#SBATCH --gpus=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --time=24:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%a.log
# Run one command of llamax in independent parts, as a Slurm array, and join them to what a single run would write.
#
#   export OUTPUT=mt.jsonl.zst PARTS=8
#   sbatch --array=1-8 examples/array.sh translate pairs.jsonl --model LLaMAX/LLaMAX3-8B-Alpaca
#   bash examples/array.sh join
#
# Any command with --shard will do. Two minutes before its time is up, a task stops, and Slurm queues it again; it does
# so as well if a node dies. Then it goes on where it was. A task that failed is not tried again by itself: `join` says
# which parts are missing, and by which --array they are started again. Finished parts are passed over.
# PARTS is not the size of the array, which is smaller when only some parts are started again.
set -euo pipefail

output=${OUTPUT:?is not set: the file that the parts are joined to} parts=${PARTS:-8}
name=$(basename "$output")
part() { printf '%s/%s.part-%s-of-%s.%s' "$(dirname "$output")" "${name%%.*}" "$1" "$parts" "${name#*.}"; }

if [ "${1:-}" = join ]; then
    missing=() files=()
    for number in $(seq "$parts"); do
        files+=("$(part "$number")")
        # Beside a finished part of an earlier run, a partial one says that it is being made again.
        [ -e "${files[-1]}" ] && [ ! -e "${files[-1]}.partial" ] || missing+=("$number")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        printf 'array: parts are missing; when no task runs any more, start them again: sbatch --array=%s ...\n' \
            "$(IFS=,; echo "${missing[*]}")" >&2
        exit 1
    fi
    cat "${files[@]}" >"$output.joined"
    mv "$output.joined" "$output"
    rm "${files[@]}"
    exit
fi

: "${SLURM_ARRAY_TASK_ID:?is not set: start this script with sbatch --array}"
[ "$SLURM_ARRAY_TASK_ID" -le "$parts" ] || { echo "array: there is no part $SLURM_ARRAY_TASK_ID of $parts" >&2; exit 2; }
command -v llamax >/dev/null || export PATH="${SLURM_SUBMIT_DIR:-.}/.venv/bin:$PATH"
requeue() {
    kill -TERM "$process" # it saves how far it is
    wait "$process" || true
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
    exit
}
trap requeue USR1
[ -z "${SLURM_CPUS_PER_TASK:-}" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK # srun does not take it from sbatch
srun llamax "$@" --shard "$SLURM_ARRAY_TASK_ID/$parts" --resume --output "$(part "$SLURM_ARRAY_TASK_ID")" &
process=$!
wait "$process"
