# What the scripts of this folder share: choice of scale, the data, and one chain of runs whose outputs all of them use.
#
#   SCALE=tiny    the made-up corpus of examples/data and a LLaMA of 300,000 weights; the default
#   SCALE=small   SmolLM2-135M and real data in the folder that DATA names; hours on two cores; figure6 takes minutes
#   SCALE=paper   the authors' sizes, on 24 A100; without a GPU the lines are printed and not run
#
# Outputs go to the folder WORK, paper-$SCALE unless said, and are shared: what one script made, another one finds.
# Tables go to standard output, and the lines that are run, with what they say, to standard error. Run again after an
# interruption, a script goes on: lines that came to their end are passed over. STEPS is the length of each training,
# below SCALE=paper. With --dry-run the lines are printed and not run.
#
# At SCALE=small, these cut an experiment to the time there is; give each choice a WORK of its own:
#
#   LANGUAGES='en fr es'   the languages of texts, pairs and dictionaries
#   AROUND='en fr'         the languages whose directions are translated; the first and the last stand in for others
#   HALF, TEXTS            pairs of each direction in one half of the data (200), texts of each language (500; in
#                          Tables 2, 3 and 10 as many as pairs)
#   SENTENCES              sentences of each direction that are translated (1)
#   STEPS=0                each training is one pass over its data, not so many steps (5)
#   TRAINING='batch=1 learning_rate=3e-4 seed=1'   settings of the trainings, as after --set
#   NEW_TOKENS             most tokens of a translation (60)
#   ARMS='base DP1'        only these settings of Table 3
#   PAIRS, SIZES='0 100'   pairs of a language to tune on, and numbers of new tokens, in Table 1 (300; 0 100 800)
#   LIKELIHOOD=1           also how likely the models find the references (likelihood.py), which tells settings apart
#                          that scores on few sentences do not; and the settings in pairs, with intervals
#
# At SCALE=small, DATA holds flores101, ntrex128, tatoeba, muse, panlex, gatitos, alpaca, xnli, mgsm and sacrebleu; at
# SCALE=paper, flores101, lego-mt, mc4, madlad, muse, panlex, alpaca, xnli, x-csqa, mgsm and the other benchmarks.
set -euo pipefail

clone=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# llamax and python have to be of one environment.
{ command -v llamax && python -c 'import llamax_cli, sentencepiece'; } >/dev/null 2>&1 ||
    export PATH="$clone/.venv/bin:$PATH"

SCALE=${SCALE:-tiny}
case $SCALE in tiny | small | paper) ;; *) echo "SCALE=$SCALE: not tiny, small or paper" >&2; exit 2 ;; esac
if [ "$SCALE" != tiny ]; then
    [ -d "${DATA:-}" ] || { echo "DATA=${DATA:-}: not a folder; name the one with the corpora: DATA=/data" >&2; exit 2; }
    DATA=$(cd "$DATA" && pwd)
fi
WORK=${WORK:-paper-$SCALE}
mkdir -p "$WORK"
cd "$WORK"
[ examples -ef "$clone/examples" ] || ln -sfn "$clone/examples" examples
[ "$SCALE" = tiny ] || [ data -ef "$DATA" ] || ln -sfn "$DATA" data
gpus=$(nvidia-smi --list-gpus 2>/dev/null | grep -c GPU || true)
picture=pdf; [ "$SCALE" != tiny ] || picture=svg # which takes less time, as it embeds no fonts
dry=; [ "$SCALE" != paper ] || [ "$gpus" -gt 0 ] || dry='they need GPUs, and this machine has none'
case ${1:-} in '') ;; --dry-run) dry=${dry:-they were not run} ;; *) echo "$1: not --dry-run" >&2; exit 2 ;; esac

# Print each pair of the languages once: `pairs_of en de fr` gives en-de,en-fr,de-fr.
pairs_of() {
    local first second list=
    while first=${1:-} && shift && [ $# -gt 0 ]; do
        for second in "$@"; do list+=,$first-$second; done
    done
    echo "${list#,}"
}

case $SCALE in
tiny)
    export HF_HUB_OFFLINE=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} OMP_WAIT_POLICY=passive
    languages='en de fr es zh tr' # of the models
    studied='en tr zh' # as en, ta, th and zh in Table 3
    central='en zh de' # as en, zh, de, ne, ar, az and ceb in Table 4
    like_ro=de like_bn=tr like_ja=de like_ceb=tr like_ar=zh
    muse='examples/data/dictionaries' panlex='examples/data/dictionaries --max-words 1'
    parallel='examples/data/train.*' monolingual='examples/data/text.*' evaluation='examples/data/test.*'
    half=10 texts=20 sentences=${SENTENCES:-1}
    base=base
    training="--set max_steps=${STEPS:-2} --set block=256 --set batch=1 --set learning_rate=2e-4 --set gradient_checkpointing=false"
    tuning="$training --set epochs=1"
    asking='--beam 1 --max-new-tokens 4' plain=llamax-alpaca
    metrics='--metric spbleu --spm base/tokenizer.model' ;;
small)
    export SACREBLEU="$DATA/sacrebleu"
    languages=${LANGUAGES:-en fr es zh ta th}
    studied=${AROUND:-en ta th zh} central=${AROUND:-en zh}
    like_ro=ro like_bn=bn like_ja=ja like_ceb=ta like_ar=ta
    if [ -n "${AROUND:-}" ]; then
        like_ro=${AROUND%% *} like_bn=${AROUND##* }
        like_ja=$like_ro like_ceb=$like_ro like_ar=$like_ro
    fi
    muse="data/muse --only ${languages// /,} --rejects muse.rejects"
    panlex="data/panlex --only ${languages// /,} --rejects panlex.rejects"
    parallel='data/ntrex128' monolingual='data/flores101/dev' evaluation='data/flores101/devtest'
    half=${HALF:-200} texts=${TEXTS:-500} sentences=${SENTENCES:-1}
    base=base
    # A CPU with AVX512-BF16 multiplies in bf16 twice as fast as in fp32; one without it, several times slower.
    bf16=; { [ "$gpus" = 0 ] && ! grep -qsw avx512_bf16 /proc/cpuinfo; } || bf16=1
    # Without checkpointing no layer is computed twice.
    settings=${TRAINING:+ --set $TRAINING}
    quick="--set gradient_checkpointing=false${bf16:+ --set precision=bf16}"
    training="--set max_steps=${STEPS:-5} --set block=512 --set batch=2 --set learning_rate=1e-4 $quick$settings"
    tuning="--set max_steps=${STEPS:-5} --set block=512 --set batch=2 --set batch_of=blocks $quick$settings"
    asking="--beam 1 --max-new-tokens ${NEW_TOKENS:-60}${bf16:+ --dtype bfloat16}" plain=lines
    metrics='--metric spbleu --spm flores200' ;;
paper)
    languages='en fr es pt de zh ta th is zu'
    studied='en ta th zh' central='en zh de ne ar az ceb'
    like_ro=ro like_bn=bn like_ja=ja like_ceb=ceb like_ar=ar
    muse='data/muse --rejects muse.rejects' panlex='data/panlex --rejects panlex.rejects'
    parallel='data/lego-mt' monolingual='data/mc4 data/madlad' evaluation='data/flores101/devtest'
    half=12500 texts=25000 sentences=1012
    base=${MODEL:-meta-llama/Llama-2-7b-hf}
    training='--set learning_rate=2e-5'
    tuning='--set batch=128 --set learning_rate=2e-5'
    asking='--beam 4 --max-new-tokens 256' plain=lines
    metrics='--metric spbleu,comet' ;;
esac
six=${languages/ pt de/}; six=${six/ is zu/} # Table 3 trains on six of its ten languages

declare -A shown=() # lines that were printed and not run
called=()           # lines of this script
# Show a line and run it, unless it came to its end before and its output is still there. The file `seconds` has the
# processor time of each line that came to its end: user and system seconds, a tab, and the line.
step() {
    local output=$1 purpose=$2 line=$3 TIMEFORMAT='%U %S'
    called+=("$line")
    if [ -e "$output" ] && grep -qsxF "$line" done || [ -n "${shown[$line]:-}" ]; then return; fi
    printf '\n# %s\n$ %s\n' "$purpose" "$line" >&2
    [ -z "$dry" ] || { shown[$line]=1; return 0; }
    mkdir -p "$(dirname "$output")"
    { time eval "$line" >&3 2>&3; } 3>&2 2>last-seconds
    printf '%s\t%s\n' "$(<last-seconds)" "$line" >>seconds
    printf '%s\n' "$line" >>done
}

# Print the processor minutes of the lines of this script, those that an earlier call ran with them.
processor_minutes() {
    awk -F '\t' 'NR == FNR { called[$0]; next } $2 in called { split($1, each, " "); sum += each[1] + each[2] }
        END { printf "%.1f\n", sum / 60 }' <(printf '%s\n' "${called[@]}") seconds
}

# Print the table of the paper, which is standard input.
paper() { printf '# %s\n\n## In the paper\n\n' "$1"; cat; echo; }

# Print tables, or records, that the lines above made: `ours FILE...`
ours() {
    if [ -n "$dry" ]; then
        printf '## Here\n\nThe lines above make this table; %s.\n' "$dry"
        return
    fi
    printf '## Here, SCALE=%s\n' "$SCALE"
    local file
    for file in "$@"; do
        printf '\n`%s`\n\n' "$file"
        case $file in
        *.jsonl) printf '```\n%s\n```\n' "$(<"$file")" ;;
        *) sed 's/^# /### /' "$file" ;;
        esac
    done
}

# Lexicons, corpora and the sentences to translate.
make_lexicons() {
    step muse.lex 'A lexicon of the dictionaries of MUSE' "llamax build-lexicon $muse -o muse.lex"
    step panlex.lex 'A lexicon of those of PanLex' "llamax build-lexicon $panlex -o panlex.lex"
}
make_corpora() {
    local pairs texts_of asked= code other drawn="--sample $((2 * half))" drawn_texts="--sample $texts"
    pairs=$(pairs_of $languages) texts_of=${languages// /,}
    for code in $(printf '%s\n' $central $studied $like_ceb $like_ja | sort -u); do
        for other in $languages; do [ "$code" = "$other" ] || asked+=,$code-$other,$other-$code; done
    done
    asked=${asked#,}
    if [ "$SCALE" = paper ]; then
        pairs='*-*' texts_of='*' drawn= drawn_texts= asked=$(sed 's/[a-z]*/&-*,*-&/g; s/ /,/g' <<<"$central ta th ja")
    fi
    step pairs.jsonl 'Parallel text' "llamax convert $parallel --pairs '$pairs' --drop-empty $drawn -o pairs.jsonl"
    step texts.jsonl 'Monolingual text' "llamax convert $monolingual --mono '$texts_of' $drawn_texts -o texts.jsonl"
    step test.jsonl 'Sentences to translate' \
        "llamax convert $evaluation --pairs '$asked' --sample $sentences -o test.jsonl"
}

# The model to begin with.
make_base() {
    case $SCALE in
    tiny) step base/config.json 'A small LLaMA that has learnt nothing' \
        "llamax convert $parallel --mono '*' --sample 60 | python examples/untrained_llama.py base 3 64" ;;
    small)
        step smollm2/smollm2.gguf 'SmolLM2, a LLaMA of 135 million weights' 'bash examples/smollm2.sh smollm2'
        step base 'The same as a folder, for its tokenizer' \
            "ln -s \"\$(python -c 'from llamax_cli.models.gguf import model_folder as f; print(f(\"smollm2/smollm2.gguf\"))')\" base" ;;
    esac
}

# train NAME MODEL DATA: continual pre-training; tune NAME MODEL [DATA]: instruction tuning.
train() {
    if [ "$SCALE" = paper ]; then
        step "$1/model" "Train $1 on 24 A100" "sbatch --wait examples/train-24-a100.sh $2 $3 $1 $training"
        [ -z "$dry" ] || [ ! -e "$2" ] || [ ! -e "$3" ] ||
            bash examples/train-24-a100.sh "$2" "$3" "$1" --preflight --throughput 4600 >&2
    else
        step "$1/model" "Train $1" "llamax train --model $2 --data $3 $training --resume auto -o $1"
    fi
}
make_instructions() {
    case $SCALE in
    tiny) step instructions.jsonl 'Instructions in the form of Alpaca' \
        "llamax convert $parallel --pairs 'en-*,*-en' --sample 4 | python examples/instructions.py >instructions.jsonl" ;;
    small) step instructions.jsonl 'Alpaca' 'cp data/alpaca/alpaca_en_demo.json instructions.jsonl' ;;
    paper) step instructions.jsonl 'Alpaca' 'cp data/alpaca/alpaca_data.json instructions.jsonl' ;;
    esac
}
tune() {
    make_instructions
    step "$1/model" "Tune $1" "llamax tune --model $2 --data instructions.jsonl $tuning --resume auto -o $1"
}

# The chain of the paper: mixture, continual pre-training, instruction tuning.
make_llamax() {
    make_lexicons; make_corpora; make_base
    step augmented.jsonl 'Words of the sources in other languages' \
        'llamax augment pairs.jsonl --dict muse.lex,panlex.lex -o augmented.jsonl'
    local blocks=
    [ "$SCALE" != paper ] || blocks=" --mono-block 512 --tokenizer $base"
    step llamax.mix.jsonl 'One epoch of samples' "llamax mix --para pairs.jsonl --mono texts.jsonl --aug augmented.jsonl$blocks \
--exclude $evaluation -o llamax.mix.jsonl --manifest llamax.mix.json"
    train llamax "$base" llamax.mix.jsonl
    tune llamax-alpaca llamax/model
    tune base-alpaca "$base"
}

# translate NAME MODEL TEMPLATE: translations of the test set; score NAME: scores of each direction.
translate() {
    step "$1.mt.jsonl" "Translations by $1" "llamax translate test.jsonl --model $2 --template $3 $asking -o $1.mt.jsonl"
}
score() { step "$1.scores.jsonl" "Scores of $1" "llamax score $1.mt.jsonl $metrics -o $1.scores.jsonl"; }
# likelihood NAME MODEL [FILE]: with LIKELIHOOD, what the references of the test set, or of FILE, cost the model.
likelihood() {
    [ -n "${LIKELIHOOD:-}" ] || return 0
    step "$1.cost.jsonl" "What the references cost $1" \
        "python examples/paper/likelihood.py $2 $plain <${3:-test.jsonl} >$1.cost.jsonl"
}
# against NAME OTHER: differences of two systems in scores and, with LIKELIHOOD, in what references cost.
against() {
    step "$1-$2.md" "$1 against $2" \
        "llamax score $1.mt.jsonl --against $2.mt.jsonl ${metrics/,comet/} --table md -o $1-$2.md"
    differences+=("$1-$2.md")
    [ -n "${LIKELIHOOD:-}" ] || return 0
    step "$1-$2.cost.md" "What references cost $1, against $2" "llamax score $1.cost.jsonl --against $2.cost.jsonl \
--metric command-qe --metric-command 'python examples/paper/likelihood.py' --lower-is-better --table md -o $1-$2.cost.md"
    differences+=("$1-$2.cost.md")
}
differences=() # tables of `against`
# rates NAME: off-target rates with the paper's detector, lid.176.
rates() {
    step "$1.rates.jsonl" "Languages of the translations by $1" \
        "llamax langid $1.mt.jsonl --detector fasttext --summary -o $1.rates.jsonl"
}

# Put systems side by side in the folder report/NAME: report NAME OPTIONS... SYSTEM=FILE...
report() {
    local name=$1; shift
    local line="llamax report $* -o report/$name"
    step "report/$name" 'Side by side' "rm -rf report/$name; $line"
}
# averages NAME LANGUAGES: the file in which that report has the averages out of and into these central languages.
averages() {
    case $2 in *' '*) echo "report/$1/tables/spbleu-rows.md" ;; *) echo "report/$1/tables/spbleu-$2.md" ;; esac
}
