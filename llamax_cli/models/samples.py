"""A Sample: one record to learn from."""

import msgspec


class Sample(msgspec.Struct):
    """A record to learn from: `completion` is learned, `prompt` only if the loss rule says so.

    `assistant_spans`, where given, are character ranges (start, end) of the text, and take the place of `completion`;
    the text then comes from a chat template, which writes the first and the last token itself. `literal_spans` are
    what reads like a special token in it and is text, as everything is in a sample without a template.
    """

    completion: str
    prompt: str = ""
    assistant_spans: tuple[tuple[int, int], ...] | None = None
    literal_spans: tuple[tuple[int, int], ...] = ()
    id: str | int | None = None
    origin: str = ""
    lang: str = ""
    src_lang: str = ""
    tgt_lang: str = ""

    @property
    def language(self) -> str:
        """Return the language that is learned: a pair's target, else the text's; `?` where it is unknown."""
        return self.tgt_lang or self.lang or "?"

    @property
    def group(self) -> str:
        """Return the language, or the origin where the language is unknown; rejected records are counted by it."""
        return self.tgt_lang or self.lang or self.origin or "?"

    @property
    def direction(self) -> str:
        """Return the direction of a pair, the language of a text: `en-sw`, `sw`."""
        return f"{self.src_lang}-{self.tgt_lang}" if self.src_lang and self.tgt_lang else self.language
