"""Turn pairs into instructions to translate them, in the form of Alpaca and the words of LLaMAX-Alpaca, or as chats.

    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py > FILE
    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py --template chat > FILE

Takes pairs from standard input. A record keeps the languages and the id of its pair. With --template the user of a chat
asks as `llamax translate --template` of the same name does.
"""

import argparse
import json
import sys
from typing import Any

from llamax_cli.models.prompts import INSTRUCTION, TEMPLATES, language_name


def instruction(pair: dict[str, str]) -> dict[str, Any]:
    """Return `{"instruction": "Translate the following sentences from English to German.", "input": ...}` of a pair."""
    names = {key: language_name(pair[key], "authors") for key in ("src_lang", "tgt_lang")}
    return {"instruction": INSTRUCTION.format(**names), "input": pair["src"], "output": pair["tgt"]}


def chat(pair: dict[str, str], template: str) -> dict[str, Any]:
    """Return `{"messages": [...]}` of a pair: a user who asks for the translation, and the answer."""
    asked = TEMPLATES[template].turns(pair["src"], pair["src_lang"], pair["tgt_lang"])
    return {"messages": [*asked, {"role": "assistant", "content": pair["tgt"]}]}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", choices=[name for name, template in TEMPLATES.items() if template.chat])
    wanted = parser.parse_args().template
    for line in sys.stdin:
        pair = json.loads(line)
        made = chat(pair, wanted) if wanted else instruction(pair)
        kept = {key: pair[key] for key in ("id", "src_lang", "tgt_lang")}
        print(json.dumps(made | kept, ensure_ascii=False))
