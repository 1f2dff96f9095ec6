r"""What references cost a model: the negative logarithm of their probability, in nats for 100 characters.

    python examples/paper/likelihood.py MODEL TEMPLATE <pairs.jsonl >cost.jsonl
    llamax score cost.jsonl --against other.jsonl --lower-is-better --metric command-qe \
        --metric-command 'python examples/paper/likelihood.py'

The first form reads pairs, asks as `llamax translate --template TEMPLATE` does, and writes the cost as `mt`. The second
is a program for `llamax score` that reads the cost out of it, so that two models are compared by its paired bootstrap.
Characters and not tokens are counted, so models of different vocabularies can be compared. Every model has to say the
same references, so this tells settings apart that greedy translations of a few sentences cannot.
"""

import json
import sys
from typing import Any


def cost(model: Any, tokenizer: Any, prompt: str, answer: str) -> float:
    """Return what an answer and the end of the text cost after a prompt, in nats for 100 of its characters."""
    import torch

    asked = tokenizer(prompt)["input_ids"]
    said = [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([asked + said])).logits[0, len(asked) - 1 : -1]
    loss = torch.nn.functional.cross_entropy(logits.float(), torch.tensor(said), reduction="sum")
    return 100 * float(loss) / len(answer.strip())


def main(folder: str, template: str) -> None:
    """Write each pair of standard input with its cost as `mt`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from llamax_cli.models.prompts import TEMPLATES

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    for line in sys.stdin:
        pair = json.loads(line)
        prompt = TEMPLATES[template].render(pair["src"], pair["src_lang"], pair["tgt_lang"])
        measured = cost(model, tokenizer, prompt, f" {pair['tgt']}")
        print(json.dumps({**pair, "mt": f"{measured:.4f}"}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        main(*sys.argv[1:])
    else:
        for line in sys.stdin:
            print(float(json.loads(line)["mt"]), flush=True)
