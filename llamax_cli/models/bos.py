"""The beginning-of-text token: whether a tokenizer puts one before a text.

This is a property of the tokenizer. Training, scoring and translating all ask it here, and the setting `add_bos` (the
option `--add-bos`) changes the tokenizer itself. So a trained model, which is saved with its tokenizer, is asked for
translations as it was trained, by llamax and by any other program that reads `tokenizer.json`.
"""

import json
from typing import Any

from llamax_cli.config import AUTO_BOS
from llamax_cli.errors import ModelError

PROBE = "a"
TEMPLATE = "TemplateProcessing"


def adds_bos(tokenizer: Any) -> bool:
    """Return whether a tokenizer begins a text with its `bos_token`."""
    bos = tokenizer.bos_token_id
    return bos is not None and tokenizer(PROBE)["input_ids"][:1] == [bos]


def set_bos(tokenizer: Any, add_bos: bool | str, model: str) -> None:
    """Have a tokenizer begin each text with its `bos_token`, or not; "auto" leaves it as it is.

    ModelError for a tokenizer that has no such token, or that cannot be changed.
    """
    if add_bos == AUTO_BOS or add_bos == adds_bos(tokenizer):
        return
    if tokenizer.bos_token_id is None:
        raise ModelError(f"the tokenizer of {model} has no bos_token to begin a text with; leave add_bos at auto")
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        tokenizer.add_bos_token = add_bos
    else:
        backend.post_processor = _post_processor(backend, tokenizer, add_bos=bool(add_bos))
        # What older versions of transformers and llama.cpp read in tokenizer_config.json; the setter of this name would
        # replace all that the tokenizer adds.
        tokenizer._add_bos_token = add_bos
    if adds_bos(tokenizer) != add_bos:
        wish = "to begin" if add_bos else "not to begin"
        raise ModelError(f"the tokenizer of {model} cannot be made {wish} texts with bos_token; leave add_bos at auto")


def describe_bos(tokenizer: Any) -> str:
    """Return what begins a sample in a few words: `<s> before each sample`."""
    return f"{tokenizer.bos_token} before each sample" if adds_bos(tokenizer) else "none before a sample"


def _post_processor(backend: Any, tokenizer: Any, *, add_bos: bool) -> Any:
    """Return the part of a fast tokenizer that adds special tokens, with bos added first or taken out."""
    from tokenizers import Tokenizer

    facts = json.loads(backend.to_str())
    processors = facts["post_processor"]
    if (processors or {}).get("type") == "Sequence":
        processors = processors["processors"]
    else:
        processors = [processors] if processors else []
    templates = [each for each in processors if each["type"] == TEMPLATE]
    if add_bos and not templates:
        templates = [{"type": TEMPLATE, "single": _sequences("A"), "pair": _sequences("AB"), "special_tokens": {}}]
        processors += templates
    for template in templates:
        change = _with if add_bos else _without
        for name in ("single", "pair"):
            template[name] = change(template[name], tokenizer.bos_token)
        token = {"id": tokenizer.bos_token, "ids": [tokenizer.bos_token_id], "tokens": [tokenizer.bos_token]}
        template["special_tokens"][tokenizer.bos_token] = token
    facts["post_processor"] = {"type": "Sequence", "processors": processors}
    return Tokenizer.from_str(json.dumps(facts)).post_processor


def _sequences(names: str) -> list[dict[str, Any]]:
    """Return the parts of a template that stand for the texts themselves, in the form of tokenizer.json."""
    return [{"Sequence": {"id": name, "type_id": place}} for place, name in enumerate(names)]


def _with(parts: list[dict[str, Any]], token: str) -> list[dict[str, Any]]:
    return [{"SpecialToken": {"id": token, "type_id": 0}}, *parts]


def _without(parts: list[dict[str, Any]], token: str) -> list[dict[str, Any]]:
    return [part for part in parts if part.get("SpecialToken", {}).get("id") != token]
