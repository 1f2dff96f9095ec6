"""`llamax langid`: the language that a text is in."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.identification.annotation import AnnotationRequest
from llamax_cli.identification.detectors import DEFAULT, DETECTORS, WITH_MODEL
from llamax_cli.identification.langid_run import SELECTION_NAMES, LangidRequest, write_identified
from llamax_cli.options.command import READS, OptionGroup, command
from llamax_cli.options.completion import completed
from llamax_cli.options.plain_text import PlainText, plain_text_of_any_language
from llamax_cli.options.values import format_option, listed, one_of, share
from llamax_cli.streams.run import Run
from llamax_cli.streams.tables import FORMATS


@command(shard=True, workers=True)
def langid(
    run: Run,
    plain: Annotated[PlainText, OptionGroup(plain_text_of_any_language)],
    field: Annotated[
        str | None,
        Option(
            metavar="KEY,...",
            help="Keys to identify instead of the text or the translation, as in src,tgt.",
            autocompletion=completed(("src", "tgt", "mt", "text"), as_list=True),
        ),
    ] = None,
    detector: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(DETECTORS),
            help=f"Language detector: joined (fasttext and cld2), fasttext (lid.176), cld2 or langdetect; without it "
            f"{DEFAULT}, with --lid-model {WITH_MODEL}.",
        ),
    ] = None,
    lid_model: Annotated[
        Path | None,
        Option(metavar="FILE", help="Another fastText model, such as lid.176.bin, GlotLID, OpenLID or that of NLLB."),
        READS,
    ] = None,
    select: Annotated[
        str | None,
        Option(
            metavar="NAME",
            callback=one_of(SELECTION_NAMES),
            help="Keep translations that are on-target or off-target, records in their declared language (match), or "
            "the best candidate for each source (best).",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        share(metavar="SHARE", help="With --select, an answer that is less probable matches no language."),
    ] = None,
    summary: Annotated[
        bool,
        Option("--summary", help="Write how often each direction is in its source and its target language."),
    ] = False,
    table: Annotated[
        str | None, format_option("--table", "With --summary, write a table instead of records", FORMATS)
    ] = None,
) -> None:
    """Identify the language of texts and translations; report off-target rates; filter by language.

    Adds `lid` and `lid_score`, and `on_target` to translations; with --field, adds `lid_KEY`. Languages that the
    detector does not know are reported. With --summary or --select, translations that have `on_target` are identified
    again only if a detector or model is named.

    Example: llamax translate --model M flores.jsonl | llamax langid | llamax langid --summary
    """
    run.read_through(plain)
    reuse = (summary or select is not None) and detector is None and lid_model is None
    annotation = AnnotationRequest(listed(field), detector, lid_model, reuse)
    write_identified(run, LangidRequest(annotation, select, min_score, summary, table))
