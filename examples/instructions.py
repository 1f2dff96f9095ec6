"""Turn pairs into instructions to translate them, in the form of Alpaca and the words of LLaMAX-Alpaca.

    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py > FILE

Takes pairs from standard input. A record keeps the languages and the id of its pair.
"""

import json
import sys

from llamax_cli.models.prompts import INSTRUCTION, language_name


def instruction(pair: dict[str, str]) -> dict[str, str]:
    """Return `{"instruction": "Translate the following sentences from English to German.", "input": ...}` of a pair."""
    kept = {key: pair[key] for key in ("id", "src_lang", "tgt_lang")}
    names = {key: language_name(pair[key], "authors") for key in ("src_lang", "tgt_lang")}
    return {"instruction": INSTRUCTION.format(**names), "input": pair["src"], "output": pair["tgt"], **kept}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(instruction(json.loads(line)), ensure_ascii=False))
