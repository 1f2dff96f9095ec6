"""`llamax translate`: sources through a model to translations."""

from pathlib import Path
from typing import Annotated

from typer import Option

from llamax_cli.model import flags, stages
from llamax_cli.options import codes, command
from llamax_cli.run import Run


@command(shard=True, ranks=True)
def translate(
    run: Run,
    model: flags.Model,
    engine: flags.Engine = "hf",
    template: flags.Template = "auto",
    src_lang: Annotated[
        str | None, Option(metavar="LANG", help="Source language, where records have none.", show_default=False)
    ] = None,
    into: Annotated[
        str | None, Option(metavar="LANG,...", help="Target languages, where records have none.", show_default=False)
    ] = None,
    plan: Annotated[
        Path | None, Option(metavar="FILE", help="Make the pairs that mix --plan found missing.", show_default=False)
    ] = None,
    nbest: Annotated[int, Option(metavar="N", min=1, help="Candidates for each source, best first.")] = 1,
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
    """Translate texts and pairs with a language model or an encoder-decoder.

    Adds `mt`, and `truncated` where it was cut. Any decoder of Hugging Face with a prompt, M2M-100, NLLB-200,
    MADLAD-400 and Aya-101; the same by CTranslate2, vLLM or a server. Beam 4 and 256 new tokens, as in the paper.

    Example: llamax translate flores.jsonl --model LLaMAX/LLaMAX3-8B-Alpaca -o mt.jsonl
    """
    chosen = flags.choice(
        model, engine, template, device, dtype, lora, quantize, batch_tokens, server, concurrency, timeout, per_minute
    )
    decoding = flags.decoding(engine, beam, max_new_tokens, nbest, temperature, top_p, seed, sample=sample)
    wanted = stages.Wanted(codes(src_lang), codes(into), plan, seed)
    stages.translate(run, chosen, decoding, wanted)
