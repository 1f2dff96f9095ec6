"""Turn pairs into instructions to translate them: in the form of Alpaca, or in the words of a template.

    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py > FILE
    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py TEMPLATE > FILE

Takes pairs from standard input. TEMPLATE is a name of `llamax translate --template`: a record is then a chat if the
template is one of a chat (`chat`, `qwen3`), and a prompt with its completion otherwise (`lines`). A record keeps the
languages and the id of its pair.
"""

import json
import sys
from typing import Any

from llamax_cli.models.prompts import INSTRUCTION, TEMPLATES, language_name


def instruction(pair: dict[str, str], template: str = "") -> dict[str, Any]:
    """Return the record of a pair.

    `{"instruction": "Translate the following sentences from English to German.", "input": ..., "output": ...}` in the
    form of Alpaca, `{"messages": [...]}` of a chat, else `{"prompt": "English: Hello.\\nGerman:", "completion": ...}`.
    """
    direction = pair["src_lang"], pair["tgt_lang"]
    if not template:
        names = dict(zip(("src_lang", "tgt_lang"), (language_name(code, "authors") for code in direction), strict=True))
        return {"instruction": INSTRUCTION.format(**names), "input": pair["src"], "output": pair["tgt"]}
    if TEMPLATES[template].chat:
        asked = TEMPLATES[template].turns(pair["src"], *direction)
        return {"messages": [*asked, {"role": "assistant", "content": pair["tgt"]}]}
    return {"prompt": TEMPLATES[template].render(pair["src"], *direction), "completion": f" {pair['tgt']}"}


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen and chosen not in TEMPLATES:
        sys.exit(f"instructions.py: no template {chosen}; have: {', '.join(TEMPLATES)}")
    for line in sys.stdin:
        pair = json.loads(line)
        kept = {key: pair[key] for key in ("id", "src_lang", "tgt_lang")}
        print(json.dumps(instruction(pair, chosen) | kept, ensure_ascii=False))
