"""Tokenizers by name: a file (of GGUF, too), a folder or a name on the hub."""

from collections.abc import Callable
from pathlib import Path

from llamax_cli.tokenization import find_file, load

Count = Callable[[str], int]  # the number of tokens of a text, without special tokens


def token_counter(name: str) -> Count:
    """Return the function that counts the tokens of a text; FileError or ModelError if there is no such tokenizer.

    What transformers alone can load, such as a folder with other files than `tokenization.load` knows or a name on the
    hub, is left to it, which takes seconds.
    """
    path = Path(name)
    if path.suffix.lower() == ".gguf":  # only then, since loading that takes a tenth of the start of a run
        from llamax_cli.models.gguf import model_folder

        path = Path(name := model_folder(name))
    if path.is_file() or find_file(path):
        return load(path).count
    from llamax_cli.models.pretrained import load_tokenizer, silence

    silence()
    tokenizer = load_tokenizer(name)
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))
