"""`llamax langid`: which language a text is in."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.identification.annotation import AnnotationRequest
from llamax_cli.identification.detectors import DEFAULT, DETECTORS
from llamax_cli.identification.langid_run import SELECTION_NAMES, LangidRequest, write_identified
from llamax_cli.options.shared import command, listed, one_of
from llamax_cli.streams.run import Run


@command(shard=True, workers=True)
def langid(
    run: Run,
    field: Annotated[
        str | None,
        Option(metavar="KEY,...", help="What to identify, where it is not the text or translation: src,tgt."),
    ] = None,
    detector: Annotated[
        str | None,
        Option(
            metavar="NAME", callback=one_of(DETECTORS), help="What tells languages: fasttext (lid.176) or langdetect."
        ),
    ] = None,
    lid_model: Annotated[
        Path | None, Option(metavar="FILE", help="Another fastText model: lid.176.bin, GlotLID, NLLB's, OpenLID.")
    ] = None,
    select: Annotated[
        str | None,
        Option(
            metavar="WHICH",
            callback=one_of(SELECTION_NAMES),
            help="Keep on-target, off-target, those in the language declared (match), or the best candidate (best).",
        ),
    ] = None,
    min_score: Annotated[
        float | None,
        Option(metavar="P", min=0, max=1, help="With --select: an answer less probable agrees with nothing."),
    ] = None,
    summary: Annotated[
        bool, Option("--summary", help="Instead of records, how often each direction is in source or target language.")
    ] = False,
) -> None:
    """Identify the language of texts and translations; filter by it; report off-target rates.

    Adds `lid`, `lid_score` and, to translations, `on_target`; with --field, `lid_KEY`. Languages that the detector does
    not know are reported as such. With --summary and --select, translations that have `on_target` are not identified
    again unless a detector or model is named.

    Example: llamax translate --model M flores.jsonl | llamax langid | llamax langid --summary
    """
    reuse = (summary or select is not None) and detector is None and lid_model is None
    annotation = AnnotationRequest(listed(field), detector or DEFAULT, lid_model, reuse)
    write_identified(run, LangidRequest(annotation, select, min_score, summary))
