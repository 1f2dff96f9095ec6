"""Turn pairs into instructions to translate them, in the form of Alpaca and the words of LLaMAX-Alpaca.

    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py > FILE
    llamax convert train.* --pairs 'en-*,*-en' | python examples/instructions.py lines > FILE

Takes pairs from standard input. A record keeps the languages and the id of its pair. With the name of a template of
`llamax translate` the record is a prompt in that template and its completion.
"""

import json
import sys

from llamax_cli.models.prompts import INSTRUCTION, TEMPLATES, language_name


def instruction(pair: dict[str, str], template: str) -> dict[str, str]:
    """Return `{"instruction": "Translate the following sentences from English to German.", "input": ...}` of a pair.

    With a template: `{"prompt": "English: Good morning.\\nGerman:", "completion": " Guten Morgen."}`.
    """
    kept = {key: pair[key] for key in ("id", "src_lang", "tgt_lang")}
    if template:
        prompt = TEMPLATES[template].render(pair["src"], pair["src_lang"], pair["tgt_lang"])
        return {"prompt": prompt, "completion": f" {pair['tgt']}", **kept}
    names = {key: language_name(pair[key], "authors") for key in ("src_lang", "tgt_lang")}
    return {"instruction": INSTRUCTION.format(**names), "input": pair["src"], "output": pair["tgt"], **kept}


if __name__ == "__main__":
    chosen = sys.argv[1] if len(sys.argv) > 1 else ""
    if chosen and chosen not in TEMPLATES:
        sys.exit(f"instructions.py: no template {chosen}; have: {', '.join(TEMPLATES)}")
    for line in sys.stdin:
        print(json.dumps(instruction(json.loads(line), chosen), ensure_ascii=False))
