# Models that were made for one language, for Tables 7 and 13 and Figure 5.

# make_specific LANGUAGE: the base model, trained on English and this language only, then tuned. At SCALE=paper it is the
# published one.
make_specific() {
    local name=specific-$1 published=hfl/chinese-alpaca-2-7b
    [ "$1" != ja ] || published=tokyotech-llm/Swallow-7b-instruct-v0.1
    if [ "$SCALE" = paper ]; then
        step "$name-alpaca/model" 'A model for one language' \
            "hf download $published --local-dir $name-alpaca/model"
        return
    fi
    step "$name.pairs.jsonl" 'Pairs with this language' \
        "llamax convert $parallel --pairs en-$1 --sample $half -o $name.pairs.jsonl"
    step "$name.mix.jsonl" 'A mixture for this language' "llamax mix --para $name.pairs.jsonl -o $name.mix.jsonl"
    train "$name" "$base" "$name.mix.jsonl"
    tune "$name-alpaca" "$name/model"
}
