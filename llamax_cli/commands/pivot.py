"""`llamax pivot`: translations by way of a third language."""

from dataclasses import replace
from typing import Annotated

from typer import Option

from llamax_cli.errors import UsageError
from llamax_cli.model import flags, stages
from llamax_cli.options import codes, command, one_of
from llamax_cli.run import Run


@command(shard=True, ranks=True)
def pivot(
    run: Run,
    model: flags.Model,
    engine: flags.Engine = "hf",
    template: flags.Template = "auto",
    via: Annotated[str, Option(metavar="LANG", help="The language in between.")] = "en",
    only: Annotated[
        str | None,
        Option(
            metavar="off-target",
            callback=one_of(["off-target"]),
            help="Pivot what langid found in the wrong language, pass on the rest.",
            show_default=False,
        ),
    ] = None,
    second_model: Annotated[
        str | None, Option(metavar="NAME|DIR", help="Another model for the way back.", show_default=False)
    ] = None,
    src_lang: Annotated[
        str | None, Option(metavar="LANG", help="Source language, where records have none.", show_default=False)
    ] = None,
    into: Annotated[
        str | None, Option(metavar="LANG,...", help="Target languages, where records have none.", show_default=False)
    ] = None,
    beam: flags.Beam = None,
    max_new_tokens: flags.MaxNewTokens = flags.DEFAULT_TOKENS,
    sample: flags.Sample = False,
    temperature: flags.Temperature = 1.0,
    top_p: flags.TopP = 0.9,
    seed: flags.Seed = 0,
    dtype: flags.Dtype = "auto",
    device: flags.Device = "auto",
    lora: flags.Lora = None,
    quantize: flags.Quantize = None,
    batch_tokens: flags.BatchTokens = None,
    server: flags.Server = None,
    concurrency: flags.Concurrency = 8,
    timeout: flags.Timeout = 120.0,
    per_minute: flags.PerMinute = None,
) -> None:
    """Translate by way of a third language, all records or those that went astray.

    Source to `--via`, then on to the target, with one load of the model; the text in between is kept in `pivot`. A
    direction that begins or ends in that language is translated at once.

    Example: llamax pivot marked.jsonl --via en --only off-target --model LLaMAX/LLaMAX3-8B-Alpaca
    """
    chosen = flags.choice(
        model, engine, template, device, dtype, lora, quantize, batch_tokens, server, concurrency, timeout, per_minute
    )
    decoding = flags.decoding(engine, beam, max_new_tokens, 1, temperature, top_p, seed, sample=sample)
    if len(codes(via)) != 1:
        raise UsageError("--via names one language")
    second = [replace(chosen, model=second_model, lora=None)] if second_model else []
    wanted = stages.Wanted(codes(src_lang), codes(into), None, seed)
    stages.pivot(run, [chosen, *second], decoding, wanted, codes(via)[0], only_off_target=only is not None)
