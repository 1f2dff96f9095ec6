"""New pieces learnt from texts: SentencePiece, on the tokens that there are.

SentencePiece learns merges of characters. Here each token of the old vocabulary is a character to it, so what it learns
are merges of old tokens. A new piece is therefore reached from the tokens that it replaces, which a vocabulary that is
learnt by itself and then added does not promise.
"""

import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from llamax_cli.errors import DataError
from llamax_cli.script import NONE, script
from llamax_cli.vocabulary.byte_pair_encoding import SPACE, BytePairEncoding

COVERAGE = 0.9995  # of all characters; those beyond it are not worth a piece, as in SentencePiece
LONGEST = 16  # old tokens in a new piece, as SentencePiece counts characters
FIRST = 0x10000  # what stands for old tokens; below are characters that mean something to SentencePiece
MOST_SYMBOLS = 0x110000 - FIRST
WORD = 4000  # tokens; SentencePiece counts the places in a word in 16 bits
TRIES = 4
TOGETHER = {"Hira": "Hani", "Kana": "Hani"}  # scripts of one word

Unreached = Callable[[Sequence[str]], Iterable[str]]


class WordCounter:
    """The words of texts and how often each is there, by the boundaries that no new piece crosses.

    With LLaMA-3's kind of tokenizer these are those of its pre-tokenizer. With LLaMA-2's they are those of
    SentencePiece: spaces, changes of script, numbers and signs; its own pieces do not cross them either.
    """

    def __init__(self, encoding: BytePairEncoding) -> None:
        self._encoding = encoding
        self._counts: Counter[str] = Counter()

    def add(self, text: str) -> None:
        """Count the words of a text."""
        encoding = self._encoding
        if encoding.marks_spaces:
            marked = SPACE + encoding.normalize(text).replace(" ", SPACE)
            self._counts.update(re.findall(f"{SPACE}[^{SPACE}]+", marked))
        else:
            self._counts.update(encoding.pre_tokenize(encoding.normalize(text)))

    def words(self, *, split_digits: bool) -> Counter[str]:
        """Return the words that were counted."""
        if not self._encoding.marks_spaces:
            return self._counts
        counts: Counter[str] = Counter()
        for word, count in self._counts.items():
            for part in split_word(word, split_digits=split_digits):
                counts[part] += count
        return counts


def split_word(word: str, *, split_digits: bool) -> Iterator[str]:
    """Yield the parts of a word that SentencePiece learns from: `split_word("▁Go2日本!")` yields ▁Go, 2, 日本, !."""
    kinds = list(_kinds(word, split_digits=split_digits))
    for _, group in groupby(zip(kinds, word, strict=True), lambda pair: pair[0]):
        part = "".join(character for _, character in group)
        if not part.isspace():
            yield part


def _kinds(word: str, *, split_digits: bool) -> Iterator[object]:
    """Yield a value for each character; a part of a word is characters with equal ones."""
    kinds: list[object] = []
    for place, character in enumerate(word):
        category = unicodedata.category(character)
        if character == SPACE:
            kinds.append(None)  # of the next one
        elif category[0] == "L":
            code = script(character)
            kinds.append(TOGETHER.get(code, code))
        elif category[0] == "M" or category == "Cf":
            kinds.append(kinds[-1] if kinds and kinds[-1] is not None else NONE)
        elif category[0] == "N":
            kinds.append(place if split_digits else "number")
        else:
            kinds.append("space" if character.isspace() else "sign")
    if kinds and kinds[0] is None:
        kinds[0] = kinds[1] if len(kinds) > 1 else NONE
    yield from kinds


def learn_pieces(words: Counter[str], count: int, encoding: BytePairEncoding, unreached: Unreached) -> list[str]:
    """Return `count` new pieces, those that save most tokens first; DataError if the words do not support as many.

    They are characters that the vocabulary lacks, and merges. `unreached` returns the pieces that an encoding with them
    would not make of their text; these are left out.
    """
    characters = _new_characters(words, encoding)
    extended = encoding.extended(list(characters)) if characters else encoding
    segmented = _segment(words, extended)
    most = sum(len(word) - 1 for word in segmented)  # every merge joins two tokens somewhere
    wanted, pieces = count + 16 + count // 20, list[str]()
    for _ in range(TRIES):
        merges = _merge(segmented, min(wanted, most))
        pieces = _reached(_rank(characters, merges, words, extended), count, unreached)
        if len(pieces) == count:
            return pieces
        if len(merges) < wanted:
            break
        wanted += 4 * (wanted - count)
    raise DataError(f"the texts support {len(pieces):,} new pieces, not {count:,}; add texts, or ask for fewer")


def _rank(
    characters: Counter[str], merges: Sequence[tuple[str, ...]], words: Counter[str], extended: BytePairEncoding
) -> list[str]:
    """Return characters and merges in the order of the tokens that they save; those that occur once are left out.

    A character saves all but one of its bytes, a merge one token. Both save no more than what they consist of, which
    therefore comes before them.
    """
    texts = ["".join(merge) for merge in merges]
    new = [text for text in dict.fromkeys(texts) if text not in extended.vocabulary]
    counts = _merge_counts(merges, words, extended.extended(new))
    saved = {character: number * (len(character.encode()) - 1) for character, number in characters.items()}
    saved |= {text: counts[text] for text in new}
    return sorted((text for text, tokens in saved.items() if tokens > 1), key=lambda text: -saved[text])


def _merge_counts(merges: Sequence[tuple[str, ...]], words: Counter[str], encoding: BytePairEncoding) -> Counter[str]:
    """Return how often each merge is made, by its text: as often as it is there in the end, or is merged further."""
    counts: Counter[str] = Counter()
    for word, number in words.items():
        for token in encoding.segment(word):
            counts[token] += number
    ranks = {"".join(merge): rank for rank, merge in reversed([*enumerate(merges)])}
    for rank, merge in reversed([*enumerate(merges)]):
        text = "".join(merge)
        if ranks[text] == rank:
            for part in _halves(merge, rank, ranks):
                counts[part] += counts[text]
    return counts


def _halves(tokens: Sequence[str], rank: int, ranks: Mapping[str, int]) -> list[str]:
    """Return what a merge joins: the tokens after all merges of lower rank."""
    left = list(tokens)
    while len(left) > 2:
        best, place = min((ranks.get(left[at] + left[at + 1], rank), at) for at in range(len(left) - 1))
        if best >= rank:
            break
        left[place : place + 2] = [left[place] + left[place + 1]]
    return left


def _reached(pieces: list[str], count: int, unreached: Unreached) -> list[str]:
    """Return the first pieces that are reached, also without those that are left out."""
    while True:
        first = pieces[:count]
        lost = set(unreached(first))
        if not lost:
            return first
        pieces = [piece for piece in pieces if piece not in lost]


def _new_characters(words: Counter[str], encoding: BytePairEncoding) -> Counter[str]:
    """Return the characters that the vocabulary lacks, the most frequent first, up to COVERAGE."""
    if encoding.is_byte_level:
        return Counter()
    counts: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            counts[character] += count
    rest = counts.total() * (1 - COVERAGE)
    missing = sorted(
        (character for character in counts if character not in encoding.vocabulary),
        key=lambda character: (-counts[character], character),
    )
    while missing and counts[missing[-1]] <= rest:
        rest -= counts[missing.pop()]
    return Counter({character: counts[character] for character in missing})


def _segment(words: Counter[str], encoding: BytePairEncoding) -> Counter[tuple[str, ...]]:
    """Return words as tokens; one that does not stand for its own text ends a word."""
    segmented: Counter[tuple[str, ...]] = Counter()
    for word, count in words.items():
        for is_ordinary, tokens in groupby(encoding.segment(word), encoding.is_ordinary):
            if is_ordinary:
                group = tuple(tokens)
                for start in range(0, len(group) if len(group) > 1 else 0, WORD):
                    segmented[group[start : start + WORD]] += count
    return segmented


def _merge(words: Counter[tuple[str, ...]], count: int) -> list[tuple[str, ...]]:
    """Return up to `count` merges that SentencePiece learns, each as the tokens that it joins, in their order."""
    from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2

    tokens = sorted({token for word in words for token in word})
    if len(tokens) > MOST_SYMBOLS:
        raise DataError(f"the texts have {len(tokens):,} different tokens, more than SentencePiece can tell apart")
    if not words:
        return []
    symbols = {token: chr(FIRST + place) for place, token in enumerate(tokens)}
    lines = sorted(f"{''.join(map(symbols.__getitem__, word))}\t{number}" for word, number in words.items())
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        input_format="tsv",
        model_writer=model,
        model_type="bpe",
        vocab_size=1 + len(tokens) + count,
        hard_vocab_limit=False,
        character_coverage=1.0,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_by_unicode_script=False,
        split_by_number=False,
        split_by_whitespace=False,
        max_sentence_length=1 << 20,
        max_sentencepiece_length=LONGEST,
        bos_id=-1,
        eos_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    proto = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    proto.ParseFromString(model.getvalue())
    texts = [piece.piece for piece in proto.pieces if piece.type == piece.NORMAL and len(piece.piece) > 1]
    return [tuple(tokens[ord(symbol) - FIRST] for symbol in text) for text in texts]
