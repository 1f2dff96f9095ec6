#!/usr/bin/env bash
# Install Slurm and Spark, for which tests/run.sh has no room, and run the tests of all engines; none may be skipped.
#
#   bash tests/engines.sh [ARGUMENTS OF PYTEST]
#
# As root on Debian or Ubuntu: 40 MB of Slurm and 200 MB of Java by apt-get, 500 MB of pyspark by pip in .venv-spark.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/environment.sh

export PATH="$PATH:/usr/sbin:/sbin:$PWD/.venv-spark/bin"
missing=()
command -v java >/dev/null || missing+=(default-jre-headless)
command -v slurmctld >/dev/null || missing+=(munge slurmctld slurmd slurm-client)
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
fi
command -v spark-submit >/dev/null || { python -m venv .venv-spark && .venv-spark/bin/pip install 'pyspark>=4.0,<5'; }
ENGINES=all pytest tests/test_engines.py "$@"
