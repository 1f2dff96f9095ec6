"""`llamax mix`: one epoch of training data."""

from pathlib import Path
from typing import Annotated, Any, cast

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.mixing.algorithm1 import MOST_COPIES, MixtureParameters
from llamax_cli.mixing.chunk_reader import ReaderSettings
from llamax_cli.mixing.mixture import MixtureRequest, write_mixture
from llamax_cli.mixing.replay import SHARE, ReplaySettings
from llamax_cli.mixing.subsets import EpochRandomness
from llamax_cli.options.command import NEUTRAL, READS, command
from llamax_cli.options.values import byte_size, one_of, real_number, share, whole_number
from llamax_cli.streams.run import Run


def _files(flag: str, what: str) -> Any:
    return Option(flag, metavar="FILE...", help=what)


RENDER_INSTRUCTION = "llamax_cli.instructions.forms:render_alpaca"  # of a later room, so that it is only named here


@command(workers=True, file_options=("para", "mono", "aug", "mt", "replay"))
def mix(
    run: Run,
    para: Annotated[list[str] | None, _files("--para", "Files of parallel pairs.")] = None,
    mono: Annotated[list[str] | None, _files("--mono", "Files of monolingual texts.")] = None,
    aug: Annotated[list[str] | None, _files("--aug", "Files of pairs that llamax augment wrote.")] = None,
    mt: Annotated[list[str] | None, _files("--mt", "Files of translations by a model.")] = None,
    replay: Annotated[
        list[str] | None, _files("--replay", "Files of general text and instructions, of which each epoch has a share.")
    ] = None,
    replay_share: Annotated[
        float | None,
        real_number(
            metavar="SHARE",
            low=0,
            high=0.99,
            help=f"Share of the epoch that --replay is, in tokens of --tokenizer, or in characters ({SHARE}).",
        ),
    ] = None,
    epoch: Annotated[
        int, whole_number(metavar="N", low=0, help="Number of the epoch; each epoch draws different samples.")
    ] = 0,
    seed: Annotated[int, whole_number(metavar="N", help="Random seed.")] = 0,
    per_language: Annotated[
        int, whole_number(metavar="N", low=0, help="Fill languages that have fewer than N pairs, with --mt and --aug.")
    ] = 25_000,
    per_pair: Annotated[
        int, whole_number(metavar="N", low=0, help="Repeat language pairs that have fewer than N pairs.")
    ] = 25_000,
    copies: Annotated[
        int,
        whole_number(
            metavar="N", low=1, high=MOST_COPIES, help="Number of copies, in all, of each pair that is repeated."
        ),
    ] = 3,
    flip: Annotated[float, share(metavar="SHARE", help="Probability of the opposite direction, for each pair.")] = 0.5,
    mono_size: Annotated[
        int | None,
        whole_number(metavar="N", low=1, help="Take at most N texts (or blocks) of each language, instead of all."),
    ] = None,
    para_size: Annotated[
        int | None,
        whole_number(metavar="N", low=1, help="Draw at most N of the pairs with each language, instead of all."),
    ] = None,
    augment_high: Annotated[bool, Option("--augment-high", help="Also augment high-resource languages.")] = False,
    temperature: Annotated[
        float,
        real_number(
            metavar="NUMBER",
            low=0.01,
            help="Give each direction of an origin a share in proportion to n ** (1 / NUMBER).",
        ),
    ] = 1.0,
    parallel: Annotated[
        str,
        Option(
            metavar="NAME",
            callback=one_of(("connected", "split")),
            help="Write a pair as one sample (connected) or as two texts (split).",
        ),
    ] = "connected",
    mono_block: Annotated[
        int | None,
        whole_number(metavar="N", low=16, help="Cut texts into blocks of at most N tokens; the paper uses 512."),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        Option(metavar="FILE|FOLDER", help="Folder or file of the tokenizer that counts tokens."),
        READS,
    ] = None,
    exclude: Annotated[
        list[str] | None, Option(metavar="FILE|FOLDER...", help="Leave out sentences of these evaluation sets."), READS
    ] = None,
    near_duplicates: Annotated[
        float | None,
        real_number(
            metavar="SHARE",
            low=0.3,
            high=1,
            help="Leave out records that share this much of their character 5-grams with another, as in 0.8.",
        ),
    ] = None,
    plan: Annotated[
        bool, Option("--plan", help="Write how many pairs each direction lacks, instead of samples.")
    ] = False,
    memory: Annotated[
        int,
        Option(metavar="SIZE", parser=byte_size, help="Memory to use, as in 512M or 4G."),
        NEUTRAL,
    ] = cast("int", "1G"),  # as it is typed, and as help shows it
) -> None:
    """Mix parallel, monolingual, augmented and translated text into one epoch of samples.

    Follows Algorithm 1 of the paper. Small language pairs are repeated, languages with few pairs are filled up, each
    pair is connected in one of its directions, duplicates are dropped, and everything is shuffled, in bounded memory.

    Example: llamax mix --para *.pairs.jsonl --mono *.text.jsonl --exclude flores101 -o epoch0.jsonl.zst
    """
    inputs = {"para": para or (), "mono": mono or (), "aug": aug or (), "mt": mt or (), "replay": replay or ()}
    randomness = EpochRandomness(seed, epoch, flip)
    reader = ReaderSettings(randomness, parallel == "split", mono_block, tokenizer, None, RENDER_INSTRUCTION)
    if replay_share is not None and not replay:
        raise UsageError("--replay-share is that of --replay: name files after --replay")
    replayed = ReplaySettings(SHARE if replay_share is None else replay_share, tokenizer) if replay else None
    parameters = MixtureParameters(per_language, per_pair, copies, mono_size, para_size, augment_high, temperature)
    request = MixtureRequest(inputs, reader, exclude or (), parameters, memory, near_duplicates, replayed)
    write_mixture(run, request, plan=plan)
