#!/usr/bin/env bash
# Table 11: what 1-hop and 2-hop translations are, by the paper's example. Takes a second at any scale.
#
#   bash examples/paper/table11.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

step en-fr.txt 'A dictionary of one word' "printf 'dog\tchien\n' >en-fr.txt"
step fr-de.txt 'And another' "printf 'chien\tHund\n' >fr-de.txt"
for hops in 1 2; do
    step "$hops-hop.jsonl" "Translations, $hops-hop" "llamax build-lexicon en-fr.txt fr-de.txt --hops $hops -o $hops-hop.jsonl"
done

paper 'Table 11: 1-hop and 2-hop translations' <<'TABLE'
| hops | direction | example |
| --- | --- | --- |
| 1 | en-fr | dog, chien |
| 1 | fr-de | chien, Hund |
| 2 | en-fr-de | dog, chien, Hund |
TABLE
ours 1-hop.jsonl 2-hop.jsonl
