#!/usr/bin/env bash
# Table 3: what to augment. Nine mixtures of parallel and monolingual text, each as it is or with words replaced by the
# dictionary, a model trained on each, and the average over its translations out of and into four languages.
#
#   bash examples/paper/table3.sh
#
# Nine trainings; the last of them is also a row of Table 10.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source examples/paper/settings.sh

make_lexicons; make_corpora; make_base
make_halves muse
all='base DP1 DP1+DP2 DP1+DM DP1+DP2+DM DP1+aDP2 DP1+aDM DP1+aDP2+DM DP1+DP2+aDM with-muse'
arms=${ARMS:-$all}
systems=()
for arm in $arms; do
    label=${arm/with-muse/DP1+aDP2+aDM}
    case $arm in
    base) translate base "$base" "$plain"; score base; likelihood base "$base"; label=LLaMA2 ;;
    DP1) setting $arm --para DP1.jsonl ;;
    DP1+DP2) setting $arm --para DP1.jsonl DP2.jsonl ;;
    DP1+DM) setting $arm --para DP1.jsonl --mono DM.jsonl ;;
    DP1+DP2+DM) setting $arm --para DP1.jsonl DP2.jsonl --mono DM.jsonl ;;
    DP1+aDP2) setting $arm --para DP1.jsonl --aug DP2.muse.jsonl ;;
    DP1+aDM) setting $arm --para DP1.jsonl --aug DM.muse.jsonl ;;
    DP1+aDP2+DM) setting $arm --para DP1.jsonl --aug DP2.muse.jsonl --mono DM.jsonl ;;
    DP1+DP2+aDM) setting $arm --para DP1.jsonl DP2.jsonl --aug DM.muse.jsonl ;;
    with-muse) setting $arm --para DP1.jsonl --aug DP2.muse.jsonl DM.muse.jsonl ;;
    *) echo "ARMS: no setting $arm; have: $all" >&2; exit 2 ;;
    esac
    # aDP2 is DP2'.
    systems+=("\"$(sed "s/a\(D[PM]2*\)/\1'/g" <<<"$label")=$arm.scores.jsonl\"")
done
report table3 "${systems[@]}" --central "${studied// /,}" --figures none
# Whether the second half, or monolingual text, helps; and whether augmenting them does.
for two in ${LIKELIHOOD:+DP1,base DP1+DP2,DP1 DP1+aDP2,DP1+DP2 DP1+DM,DP1 DP1+aDM,DP1+DM DP1+aDM,DP1}; do
    [[ " $arms " != *" ${two%,*} "* || " $arms " != *" ${two#*,} "* ]] || against "${two%,*}" "${two#*,}"
done

paper 'Table 3: augmentation of parallel and monolingual text, average spBLEU' <<'TABLE'
| setting | augmented | en-x | x-en | ta-x | x-ta | th-x | x-th | zh-x | x-zh |
| --- | :---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| LLaMA2 | no | 18.31 | 23.61 | 0.99 | 0.49 | 4.83 | 1.15 | 10.02 | 7.35 |
| DP1 | no | 19.06 | 25.98 | 3.20 | 0.91 | 7.66 | 3.13 | 11.32 | 7.83 |
| DP1+DP2 | no | 19.46 | 26.40 | 4.17 | 1.76 | 7.28 | 3.02 | 11.65 | 8.82 |
| DP1+DM | no | 19.22 | 25.91 | 3.51 | 1.34 | 7.64 | 2.83 | 11.56 | 7.99 |
| DP1+DP2+DM | no | 19.36 | 26.47 | 4.35 | 1.82 | 7.78 | 3.49 | 11.44 | 9.14 |
| DP1+DP2' | yes | 19.47 | 26.65 | 4.54 | 1.83 | 7.66 | 3.13 | 11.89 | 9.17 |
| DP1+DM' | yes | 18.59 | 25.98 | 3.61 | 1.36 | 6.72 | 2.35 | 10.81 | 6.45 |
| DP1+DP2'+DM | yes | 19.70 | 26.71 | 4.68 | 1.82 | 8.21 | 3.65 | 12.05 | 9.28 |
| DP1+DP2+DM' | yes | 19.17 | 26.58 | 4.57 | 1.95 | 7.12 | 3.12 | 11.52 | 7.73 |
| DP1+DP2'+DM' | yes | 18.80 | 26.56 | 4.78 | 1.79 | 7.31 | 3.18 | 11.35 | 7.28 |
TABLE
ours "$(averages table3 "$studied")" "${differences[@]}"
