# The settings of Tables 2, 3 and 10, which share their runs: what is trained on beside the first half of the pairs, DP1.
#
# DP2 is the other half, DM monolingual text; DP2' and DM' are those after augmentation. The sizes are the paper's,
# 12,500 pairs of each direction; the paper trains on six languages and translates ten.

# Make the data of the settings.
make_halves() {
    local pairs names=${six// /,} lexicon=$1 part
    pairs=$(pairs_of $six)
    for part in 1 2; do
        step "DP$part.jsonl" "Half of the pairs, part $part" \
            "llamax convert $parallel --pairs $pairs --part $part/2 --sample $half -o DP$part.jsonl"
    done
    step DM.jsonl 'Monolingual text' "llamax convert $monolingual --mono $names --sample ${TEXTS:-$half} -o DM.jsonl"
    step "DP2.$lexicon.jsonl" 'The second half, augmented' \
        "llamax augment DP2.jsonl --dict $lexicon.lex -o DP2.$lexicon.jsonl"
    step "DM.$lexicon.jsonl" 'Monolingual text, augmented' \
        "llamax augment DM.jsonl --dict $lexicon.lex -o DM.$lexicon.jsonl"
}

# setting NAME FILES...: train on a mixture of --para, --mono and --aug FILES, translate the test set, and score. No
# sentence of the test set is in the mixture.
setting() {
    local name=$1; shift
    step "$name.mix.jsonl" "Mixture of $name" \
        "llamax mix $* --per-pair 0 --per-language 1000000 --augment-high --exclude test.jsonl -o $name.mix.jsonl"
    train "$name" "$base" "$name.mix.jsonl"
    translate "$name" "$name/model" "$plain"
    score "$name"
    likelihood "$name" "$name/model"
}
