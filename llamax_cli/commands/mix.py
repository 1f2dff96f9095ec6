"""`llamax mix`: one epoch of training data."""

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from llamax_cli.mixing.algorithm1 import MixtureParameters
from llamax_cli.mixing.chunk_reader import ReaderSettings
from llamax_cli.mixing.mixture import MixtureRequest, write_mixture
from llamax_cli.mixing.subsets import EpochRandomness
from llamax_cli.options.shared import byte_size, command, one_of
from llamax_cli.streams.run import Run


def _files(flag: str, what: str) -> Any:
    return Option(flag, metavar="FILE...", help=what, show_default=False)


@command(workers=True, files_of=("para", "mono", "aug", "mt"))
def mix(
    run: Run,
    para: Annotated[list[str] | None, _files("--para", "Pairs.")] = None,
    mono: Annotated[list[str] | None, _files("--mono", "Texts.")] = None,
    aug: Annotated[list[str] | None, _files("--aug", "Pairs that llamax augment made.")] = None,
    mt: Annotated[list[str] | None, _files("--mt", "Translations by a model.")] = None,
    epoch: Annotated[int, Option(min=0, help="Another epoch draws anew.")] = 0,
    seed: Annotated[int, Option(help="Another seed, another mixture.")] = 0,
    per_language: Annotated[
        int, Option(metavar="N", min=0, help="Pairs of a language up to which --mt and --aug fill.")
    ] = 25_000,
    per_pair: Annotated[
        int, Option(metavar="N", min=0, help="Pairs of a language pair below which it is repeated.")
    ] = 25_000,
    copies: Annotated[int, Option(metavar="N", min=1, help="Copies, in all, of what is repeated.")] = 3,
    flip: Annotated[float, Option(metavar="P", min=0, max=1, help="Probability of the other direction.")] = 0.5,
    mono_size: Annotated[
        int | None, Option(metavar="N", min=1, help="Texts (or blocks) of a language at most; otherwise all.")
    ] = None,
    para_size: Annotated[
        int | None, Option(metavar="N", min=1, help="Pairs drawn around each language; otherwise all.")
    ] = None,
    augment_high: Annotated[bool, Option("--augment-high", help="Also augment languages of high resource.")] = False,
    temperature: Annotated[
        float, Option(metavar="T", min=0.01, help="Shares within an origin in proportion to n ** (1 / T).")
    ] = 1.0,
    parallel: Annotated[
        str,
        Option(
            metavar="FORM", callback=one_of(("connected", "split")), help="Pairs: connected, or split into two texts."
        ),
    ] = "connected",
    mono_block: Annotated[
        int | None, Option(metavar="N", min=16, help="Cut texts into blocks of at most N tokens (the paper: 512).")
    ] = None,
    tokenizer: Annotated[
        Path | None, Option(metavar="PATH", help="Folder or file of the tokenizer that counts them.")
    ] = None,
    exclude: Annotated[
        list[str] | None, Option(metavar="PATH...", help="Leave out the sentences of evaluation sets.")
    ] = None,
    plan: Annotated[bool, Option("--plan", help="Write what pairs are lacking instead.")] = False,
    memory: Annotated[
        int, Option(metavar="SIZE", parser=byte_size, help="Memory to use: 512M, 4G.", show_default="1G")
    ] = 1 << 30,
) -> None:
    """Mix parallel, monolingual, augmented and translated text into one epoch of samples.

    Follows Algorithm 1 of the paper: small language pairs are repeated, languages with few pairs are filled up, pairs
    are connected in either direction, duplicates go, and everything is shuffled, in bounded memory.

    Example: llamax mix --para *.pairs.jsonl --mono *.text.jsonl --exclude flores101 -o epoch0.jsonl.zst
    """
    inputs = {"para": para or (), "mono": mono or (), "aug": aug or (), "mt": mt or ()}
    reader = ReaderSettings(EpochRandomness(seed, epoch, flip), parallel == "split", mono_block, tokenizer)
    parameters = MixtureParameters(per_language, per_pair, copies, mono_size, para_size, augment_high, temperature)
    write_mixture(run, MixtureRequest(inputs, reader, exclude or (), parameters, memory), plan=plan)
