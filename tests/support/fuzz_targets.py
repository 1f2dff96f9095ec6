"""Readers of files, each as a function of bytes: whatever the bytes are, it reads them or raises a documented error."""

import json
import os
import random
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from xxhash import xxh3_128_digest

from llamax_cli import config
from llamax_cli.analysis.mixture_manifest import MixtureManifest
from llamax_cli.conversion.convert import read_corpora
from llamax_cli.conversion.segments import CorpusRequest, ignore_bad_line
from llamax_cli.conversion.selection import Selection
from llamax_cli.errors import LexiconError, LlamaxError
from llamax_cli.filtering.rules import RecordFilter, filter_settings
from llamax_cli.lexicon.detection import FORMATS as DICTIONARIES
from llamax_cli.lexicon.detection import open_dictionaries
from llamax_cli.lexicon.dictionaries import DictionaryRequest
from llamax_cli.lexicon.store.layout import FOOTER, Footer
from llamax_cli.lexicon.store.reader import Lexicon
from llamax_cli.provenance.command_lines import CommandLine, Renaming
from llamax_cli.provenance.manifests import read_manifest
from llamax_cli.records import parse
from llamax_cli.streams.inputs import Input
from llamax_cli.streams.resume import ResumeFile, RunIdentity

Reader = Callable[[bytes], object]
CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"  # inputs that once failed, in a folder for each reader


@cache
def folder() -> Path:
    """Return a folder of this process, in memory where that can be had."""
    parent = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = tempfile.TemporaryDirectory(prefix="fuzz-", dir=parent)
    KEPT.append(made)
    return Path(made.name)


KEPT: list[tempfile.TemporaryDirectory[str]] = []  # removed at the end of the process


def file(name: str, data: bytes) -> Path:
    """Return a file with these bytes."""
    path = folder() / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


# -- corpora and dictionaries ------------------------------------------------------------------------------------------

# The name that a corpus of each format has, and the options that it takes; () detects the format.
CORPORA = {
    "text": ("a.en", "en"),
    "moses": ("a.en", "en"),
    "tsv": ("a.tsv", "en,de"),
    "tmx": ("a.tmx", ""),
    "wmt": ("a.xml", ""),
    "flores": ("eng.dev", ""),
    "ntrex": ("newstest2019-ref.deu.txt", ""),
    "tico19": ("test.en-am.tsv", ""),
    "tatoeba": ("a.tsv", ""),
    "xliff": ("a.xlf", ""),
    "po": ("de.po", ""),
    "srt": ("a.en.srt", ""),
    "vtt": ("a.en.vtt", ""),
    "wmt24pp": ("a.jsonl", ""),
    "wmt25": ("a.jsonl", ""),
    "smol": ("a.jsonl", ""),
    "flores-plus": ("eng_Latn.jsonl", ""),
    "bouquet": ("eng_Latn.jsonl", ""),
    "hf": ("a.jsonl", ""),
    "parquet": ("a.parquet", ""),
    "records": ("a.jsonl", ""),
    "": ("a", ""),
}
SUBTITLES = {"srt", "vtt"}


def corpus(format: str, data: bytes) -> int:
    """Read a corpus to its end, as pairs or texts, as they are and by language; return the number of records."""
    name, languages = CORPORA[format]
    path = str(file(name, data))
    codes = tuple(filter(None, languages.split(",")))
    count = 0
    for selection in (Selection(), Selection(mono=("*",))):
        with suppress(LlamaxError):
            request = CorpusRequest((path,), Input, ignore_bad_line, codes)
            for _ in read_corpora(
                request, "subtitles" if format in SUBTITLES else format or None, selection, Counter()
            ):
                count += 1
    return count


def dictionary(format: str, data: bytes) -> int:
    """Read a dictionary to its end; return the number of entries."""
    name = {"lexicon": "en-de.lex", "tsv": "en-de.tsv", "dictd": "en-de.dict"}.get(format, "en-de.txt")
    if format == "dictd":  # the index, then the entries
        index, _, data = data.partition(b"\0")
        file("en-de.index", index)
    path = str(file(name, data))
    request = DictionaryRequest(Input, ("en", "de"))
    return sum(1 for each in open_dictionaries(request, (path,), format or None) for _ in _rows(each))


def _rows(opened: Any) -> Iterator[Any]:
    from llamax_cli.lexicon.builder import BuildContext, build
    from llamax_cli.lexicon.rows import BuildOptions

    context = BuildContext(ignore_bad_line, Counter(), lambda count: None, lambda *_: lambda count: None, 1)
    return build(iter([opened]), BuildOptions(), context, {})


def compiled_lexicon(data: bytes) -> None:
    """Open a compiled lexicon and look up words."""
    lexicon = Lexicon(file("a.lex", data))
    for language in lexicon.languages:
        for number, word in enumerate(lexicon.words(language)):
            lexicon.translations(language, word)
            lexicon.find(language, word, " ")
            if number > 50:
                break


def lexicon_words(data: bytes) -> None:
    """Read a lexicon too large to be checked when it is opened, whose words and values are these bytes."""
    pages = bytearray(made_lexicon())
    for place, byte in zip(word_places(), data, strict=False):
        pages[place] = byte
    with patch("llamax_cli.lexicon.store.reader.VERIFIED_ON_OPEN", 0):
        lexicon = Lexicon(file("c.lex", bytes(pages)))
        for read in (lexicon.entries, lexicon.translated_words):
            with suppress(LexiconError):
                deque(read(), maxlen=0)
        for language in lexicon.languages:
            for word in lexicon.words(language):
                for part in (word, word.split(" ")[0], word[:1]):
                    lexicon.second_words(language, part)
                    lexicon.next_characters(language, part, 5)
                    lexicon.find(language, part, "")
                    lexicon.find(language, part, " ")
                with suppress(LexiconError):
                    lexicon.translations(language, word)
                with suppress(LexiconError):
                    lexicon.without_sources(lexicon.get(language, word) or b"")


def lexicon_metadata(data: bytes) -> None:
    """Open a compiled lexicon with these metadata, whose hash is right, and read all entries."""
    made = made_lexicon()
    footer = Footer(*FOOTER.unpack(made[-FOOTER.size :]))
    changed = footer._replace(metadata=len(data), metadata_hash=xxh3_128_digest(data))
    lexicon = Lexicon(file("b.lex", made[: footer.pages] + data + FOOTER.pack(*changed)))
    for language in lexicon.languages:
        lexicon.entities(language)
        lexicon.max_words(language)
    for _ in lexicon.entries():
        pass


# -- what runs leave ---------------------------------------------------------------------------------------------------


def resume_state(data: bytes) -> None:
    """Read the state of an interrupted run."""
    path = file("a.partial.state", data)
    ResumeFile(path.with_name("a.partial"), RunIdentity("augment", {"seed": 0}, {})).load()


def kept_answers(data: bytes) -> int:
    """Read the answers that an interrupted run has kept; return how many there are."""
    file("out.partial.answers", data)
    return len(answers_of_run().load())


def answers_of_run() -> Any:
    """Return the answers that a run keeps."""
    from llamax_cli.models.contracts import Decoding, ModelChoice
    from llamax_cli.streams.settings import Settings
    from llamax_cli.translation.kept_answers import KeptAnswers

    return KeptAnswers(Settings(output=folder() / "out", resume=True), ModelChoice("m"), Decoding(), {})


def run_manifest(data: bytes) -> None:
    """Read a manifest, and make a command line of it."""
    line = CommandLine(read_manifest(file("manifest.json", data)))
    scratch = Path("/scratch")
    line.check()
    for word in line.words(Renaming(scratch, {})):
        assert "\0" not in word
    for path in line.written(Renaming(scratch, {})):
        assert scratch in path.parents or path == scratch
        assert ".." not in path.parts


def mixture(data: bytes) -> None:
    """Read the manifest of a mixture as a card does."""
    manifest = MixtureManifest.read(str(file("mix.json", data)))
    manifest.languages()
    manifest.directions()


def seen(data: bytes) -> None:
    """Read the languages of a mixture as a report does."""
    from llamax_cli.reporting.report import read_seen

    read_seen(str(file("mix.json", data)))


def job(data: bytes) -> None:
    """Read the job of a training run."""
    from llamax_cli.training.job import read_job

    file("run/run.json", data)
    read_job(folder() / "run")


def checkpoint_facts(data: bytes) -> None:
    """Read the facts of a checkpoint."""
    from llamax_cli.training.job import read_facts

    file("step-00000001/facts.json", data)
    read_facts(folder() / "step-00000001")


# -- models ------------------------------------------------------------------------------------------------------------


def model_config(data: bytes) -> None:
    """Read the configuration of a model, and what training estimates of it."""
    from llamax_cli.models.config_file import check_block, read_config
    from llamax_cli.training.estimates import read_shape

    file("model/config.json", data)
    found = read_config(str(folder() / "model"))
    check_block(found, 8)
    with suppress(KeyError):  # which says what is missing
        read_shape(found)


def weights(data: bytes) -> None:
    """Read the weights of a model."""
    from llamax_cli.models.weight_files import Weights

    file("weights/model.safetensors", data)
    opened = Weights(folder() / "weights")
    for name in list(opened.entries)[:5]:
        opened[name]


def weights_index(data: bytes) -> None:
    """Read the index of weights in several files."""
    from llamax_cli.models.weight_files import Weights

    file("index/model.safetensors.index.json", data)
    opened = Weights(folder() / "index")
    for name in list(opened.entries)[:5]:
        opened[name]


def tokenizer(data: bytes) -> None:
    """Read a tokenizer of any kind and split a text."""
    from llamax_cli import tokenization

    opened = tokenization.load.__wrapped__(file("tokenizer.model", data))
    opened.count("a b")
    opened.ends("a b")


def sentencepiece(data: bytes) -> None:
    """Read a SentencePiece model as extend-vocab does."""
    from llamax_cli.vocabulary.sentencepiece_model import SentencePieceModel

    SentencePieceModel(data, "tokenizer.model").unreached(["a"])


def fasttext(data: bytes) -> None:
    """Read a model of fastText, and predict with it where it is a quantised one."""
    from llamax_cli.identification.fasttext_file import count_labels
    from llamax_cli.identification.quantised import Classifier

    with suppress(ValueError):
        Classifier(data).predict("ab aé")
    count_labels(file("lid.bin", data))


def gguf(data: bytes) -> None:
    """Unpack a model of llama.cpp."""
    from llamax_cli.models.gguf import _unpack

    (folder() / "unpacked").mkdir(exist_ok=True)
    _unpack(file("a.gguf", data), folder() / "unpacked")


# -- settings, templates, tables ---------------------------------------------------------------------------------------


def toml(data: bytes) -> None:
    """Read the settings of a training run."""
    config.read_training(file("train.toml", data))


def setting(data: bytes) -> None:
    """Read one setting of the command line."""
    config.read_training(None, [data.decode(errors="replace")])


def filters(data: bytes) -> None:
    """Read a file of filters, and filter a pair by it."""
    settings = filter_settings([str(file("filters.toml", data))], ())
    RecordFilter(settings).fault(parse(PAIR.strip()))


def metric_answer(data: bytes) -> None:
    """Read what a program of `--metric-command` answers."""
    from llamax_cli.scoring.command_metric import _number

    _number(data)


def template(data: bytes) -> None:
    """Read a template and render it."""
    from llamax_cli.models import prompts

    path = str(file("template.txt", data))
    prompts.check(path)
    prompts.choose(path, "m", has_chat=False).render("a {src}", "en", "de")


def system(data: bytes) -> None:
    """Read what a report is made of: records, or results of lm-eval."""
    from llamax_cli.reporting.report import ReportRequest, make_report

    make_report(ReportRequest((f"A={file('a.jsonl', data)}",), folder() / "report"))


def instructions(data: bytes) -> None:
    """Read data to tune on, as lines or as one array."""
    from llamax_cli.instructions.data_files import read_records
    from llamax_cli.instructions.forms import form_of

    for name in ("a.jsonl", "a.json"):
        with suppress(LlamaxError):
            for located in read_records(file(name, data)):
                with suppress(LlamaxError):
                    form_of(located.record)


READERS: dict[str, Reader] = {
    "record": parse,
    **{f"corpus-{name or 'detected'}": partial(corpus, name) for name in CORPORA},
    **{f"dictionary-{name}": partial(dictionary, name) for name in DICTIONARIES if name != "panlex-csv"},
    "dictionary-detected": partial(dictionary, ""),
    "lexicon": compiled_lexicon,
    "lexicon-metadata": lexicon_metadata,
    "lexicon-words": lexicon_words,
    "resume-state": resume_state,
    "kept-answers": kept_answers,
    "manifest": run_manifest,
    "mixture": mixture,
    "seen": seen,
    "job": job,
    "checkpoint-facts": checkpoint_facts,
    "model-config": model_config,
    "weights": weights,
    "weights-index": weights_index,
    "tokenizer": tokenizer,
    "sentencepiece": sentencepiece,
    "fasttext": fasttext,
    "gguf": gguf,
    "toml": toml,
    "setting": setting,
    "filters": filters,
    "metric-answer": metric_answer,
    "template": template,
    "system": system,
    "instructions": instructions,
}


def check(name: str, data: bytes) -> None:
    """Read bytes; any exception but a documented one is a fault."""
    with suppress(LlamaxError):
        READERS[name](data)


def seeds(name: str) -> list[bytes]:
    """Return what a reader is given first: inputs that once failed, and files that it reads well."""
    kept = sorted((CORPUS / name).glob("*")) if (CORPUS / name).is_dir() else []
    made = [MADE[name]()] if name in MADE else []
    return [path.read_bytes() for path in kept] + SEEDS.get(name, []) + made


def made_classifier() -> bytes:
    """Return a quantised model of fastText."""
    from support.quantised_models import model

    return model(random.Random(0))


@cache
def made_lexicon() -> bytes:
    """Return a compiled lexicon."""
    from support.lexicons import ENGLISH, lexicon

    lexicon(folder() / "made.lex", ("en", ENGLISH))
    return (folder() / "made.lex").read_bytes()


@cache
def word_places() -> tuple[int, ...]:
    """Return where the words of that lexicon and their values are."""
    made = made_lexicon()
    found = list[int]()
    for word in Lexicon(folder() / "made.lex").words("en"):
        key = b"en\0" + word.encode()
        value = Lexicon(folder() / "made.lex").get("en", word) or b""
        place = made.index(key + value)
        found += range(place, place + len(key + value))
    return tuple(found)


def made_words() -> bytes:
    """Return the words of that lexicon and their values."""
    return bytes(made_lexicon()[place] for place in word_places())


def made_answers() -> bytes:
    """Return answers that a run has kept."""
    from llamax_cli.models.contracts import Hypothesis, TranslationRequest

    kept = answers_of_run()
    for number in range(2):
        kept.add(TranslationRequest(f"house {number}", "en", "de"), [Hypothesis("Haus", truncated=False)])
    kept.close()
    return (folder() / "out.partial.answers").read_bytes()


def made_metadata() -> bytes:
    """Return the metadata of a compiled lexicon."""
    footer = Footer(*FOOTER.unpack(made_lexicon()[-FOOTER.size :]))
    return made_lexicon()[footer.pages : -FOOTER.size]


def made_parquet() -> bytes:
    """Return records in Parquet."""
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"en": ["a"], "de": ["b"]}), folder() / "made.parquet")
    return (folder() / "made.parquet").read_bytes()


def made_weights() -> bytes:
    """Return weights in safetensors."""
    header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return len(header).to_bytes(8, "little") + header + bytes(4)


def made_weights_index() -> bytes:
    """Return the index of weights in one file, which it writes beside it."""
    file("index/model-1.safetensors", made_weights())
    return b'{"metadata":{"total_size":4},"weight_map":{"a":"model-1.safetensors"}}'


def made_sentencepiece() -> bytes:
    """Return a SentencePiece model of few pieces."""
    from support.vocabularies import sentencepiece_model, texts

    return sentencepiece_model(texts(), size=300)


def made_gguf() -> bytes:
    """Return a model of llama.cpp of few weights."""
    from support.gguf_files import pack
    from support.runs import model_folder
    from support.tiny_models import byte_level

    words = byte_level(["a b"])
    facts = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    facts |= {"num_key_value_heads": 1, "vocab_size": len(words), "pad_token_id": 0}
    return pack(model_folder(folder() / "packed", words=words, **facts), folder() / "made.gguf").read_bytes()


def made_job() -> bytes:
    """Return the job of a training run."""
    from llamax_cli.training.job import Job

    facts = {"init": False, "resume": False, "quiet": False, "training": config.Training()}
    return Job("m", "m", ("d",), "o", **facts).to_json().encode()  # type: ignore[arg-type]


MADE: dict[str, Callable[[], bytes]] = {
    "lexicon": made_lexicon,
    "lexicon-metadata": made_metadata,
    "lexicon-words": made_words,
    "kept-answers": made_answers,
    "dictionary-lexicon": made_lexicon,
    "corpus-parquet": made_parquet,
    "weights": made_weights,
    "weights-index": made_weights_index,
    "sentencepiece": made_sentencepiece,
    "gguf": made_gguf,
    "job": made_job,
    "fasttext": made_classifier,
}


PAIR = b'{"id":"a:1","src":"the house","tgt":"das Haus","src_lang":"en","tgt_lang":"de"}\n'
MANIFEST = {
    "command": "augment",
    "arguments": {"files": ["a.jsonl"], "dict": "a.lex", "rate": 0.3, "output": "b.jsonl", "seed": 1, "shard": "1/2"},
    "folder": "/tmp",
    "versions": {"llamax": "0.1.0"},
    "inputs": [{"path": "a.jsonl", "bytes": 1, "sha256": "00"}],
    "reads": [],
    "outputs": [{"path": "-", "bytes": 1, "sha256": "11"}],
    "counts": {"in": 1, "out": 2, "rejected": 0},
    "figures": {"realised": {"origin": {"para": 1}, "direction": {"en-de": 1}, "language": {"de": 1}}},
}
SEEDS: dict[str, list[bytes]] = {
    "record": [PAIR.strip()],
    "corpus-tsv": [b"english\tgerman\nthe house\tdas Haus\n"],
    "corpus-tmx": [
        b"""<?xml version="1.0"?><tmx version="1.4"><header srclang="en"/><body><tu><tuv xml:lang="en"><seg>a <b/>c
</seg></tuv><tuv xml:lang="de"><seg>d</seg></tuv></tu></body></tmx>"""
    ],
    "corpus-wmt": [
        b"""<dataset id="x"><doc id="d" origlang="en"><src lang="en"><p><seg id="1">a</seg></p></src>
<ref lang="de" translator="A"><p><seg id="1">b</seg></p></ref></doc></dataset>""",
        b'<srcset setid="x" srclang="any"><doc docid="d"><seg id="1">a</seg></doc></srcset>',
    ],
    "corpus-tatoeba": [b"1\teng\ta\n", b"1\teng\ta\tme\t2020-01-01\t\\N\n"],
    "corpus-tico19": [
        b"""sourceLang\ttargetLang\tsourceString\ttargetString\tstringID\turl\tlicense\ttranslatorId
en\tam\ta\tb\t1\tu\tl\tt\n"""
    ],
    "corpus-hf": [b'{"translation":{"en":"a","de":"b"}}\n'],
    "corpus-records": [PAIR],
    "corpus-detected": [PAIR, b"en\tde\na\tb\n", b"1\teng\ta\n"],
    "corpus-xliff": [
        b"""<xliff version="1.2"><file source-language="en" target-language="de"><body><trans-unit id="u">
<source>A <g id="1">b</g></source><target>B</target></trans-unit></body></file></xliff>""",
        b"""<xliff version="2.0" srcLang="en" trgLang="de"><file id="f"><unit id="u"><segment>
<source>A</source><target>B</target></segment><ignorable><source> </source></ignorable></unit></file></xliff>""",
    ],
    "corpus-po": [
        b"""msgid ""\nmsgstr ""\n"Language: de\\n"\n\n#, fuzzy\nmsgid "o"\nmsgstr "n"\n\nmsgctxt "c"
msgid "a \\"b\\""\nmsgid_plural "as"\nmsgstr[0] "x"\nmsgstr[1] "y"\n\n#~ msgid "old"\n#~ msgstr "alt"\n"""
    ],
    "corpus-srt": [b"1\n00:00:01,000 --> 00:00:02,500\nGood\nmorning!\n\n2\n00:00:03,000 --> 00:00:04,000 X1:1\na\n"],
    "corpus-vtt": [b"WEBVTT t\n\nNOTE n\n\nSTYLE\na\n\nc\n00:01.000 --> 00:02.500 line:0\n<v A>Good</v>\nb\n\n"],
    "corpus-wmt24pp": [b'{"lp":"en-de_DE","source":"a","target":"b","is_bad_source":false,"domain":"d"}\n'],
    "corpus-wmt25": [b'{"doc_id":"d","src_lang":"en","tgt_lang":"de_DE","src_text":"a","refs":{"refA":{"ref":"b"}}}\n'],
    "corpus-smol": [
        b'{"sl":"en","tl":"sw","src":"a","trgs":["b","c"]}\n',
        b'{"sl":"en","tl":"sw","srcs":["a"],"trgs":["b"]}',
    ],
    "corpus-flores-plus": [b'{"id":0,"text":"a","iso_639_3":"eng","glottocode":"stan1293"}\n'],
    "corpus-bouquet": [
        b'{"uniq_id":"P1-S1","src_lang":"eng_Latn","src_text":"a","tgt_lang":"fra_Latn","tgt_text":"b"}\n'
    ],
    "dictionary-freedict": [
        b"""<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body><entry><form><orth>dog</orth></form><sense><cit
type="trans"><quote>Hund (m)</quote></cit></sense></entry></body></text></TEI>"""
    ],
    "dictionary-dictd": [b'dog\tA\tv\n\0dog /d/ <n>\n1. Hund [zool.], K\xc3\xb6ter\n   "a dog"\n'],
    "dictionary-wiktionary": [
        b"""{"word":"dog","lang_code":"en","translations":[{"code":"de","word":"Hund"}],\
"senses":[{"translations":[{"lang_code":"sw","word":"mbwa (n)"}]}]}
"""
    ],
    "dictionary-muse": [b"house haus\n"],
    "dictionary-panlex": [b"house\thaus\n"],
    "dictionary-gatitos": [b"house\tHaus (n)\n"],
    "dictionary-hunalign": [b"haus @ house\n"],
    "dictionary-mrasp": [b"EN__house\tDE__Haus\n"],
    "dictionary-tsv": [b"english\tgerman\nhouse\thaus\n"],
    "dictionary-gatitos-json": [b'{"sl":"en","tl":"de","is_source_orig":true,"src":"house","trgs":["haus"]}\n'],
    "dictionary-records": [b'{"word":"house","lang":"en","translations":{"de":["haus"]},"sources":["x"]}\n'],
    "resume-state": [
        b"""{"run":{"format":1,"command":"augment","arguments":{"seed":0}},"consumed":1,"digest":"","written":1,\
"rejects":0,"counts":{},"tally":{}}\npending"""
    ],
    "manifest": [json.dumps(MANIFEST).encode()],
    "mixture": [json.dumps({**MANIFEST, "command": "mix"}).encode()],
    "seen": [json.dumps({**MANIFEST, "command": "mix"}).encode()],
    "checkpoint-facts": [b'{"count":{"step":5},"settings":{"learning_rate":1e-5},"position":{"epoch":0}}'],
    "model-config": [b'{"model_type":"llama","vocab_size":8,"hidden_size":4,"num_hidden_layers":1}'],
    "tokenizer": [b"YQ== 0\nYg== 1\n", b'{"model":{"type":"BPE","vocab":{},"merges":[]}}'],
    "toml": [b'learning_rate = 1e-5\nlora_targets = ["q_proj"]\n'],
    "setting": [b"learning_rate=1e-5", b'trackers=["wandb"]'],
    "filters": [b'length-ratio = 2\nidentical = true\n["en-zh"]\nlength-ratio = 5\n'],
    "metric-answer": [b"0.5", b"[1]"],
    "template": [b"Translate to {tgt_lang}: {src}"],
    "system": [
        b'{"src_lang":"en","tgt_lang":"de","metric":"bleu","score":3.5,"signature":"s","n":5}\n',
        b'{"src_lang":"en","tgt_lang":"de","n":5,"r_src":0.0,"r_tgt":0.5}\n',
        b'{"results":{"xnli_sw":{"acc,none":0.5}}}',
    ],
    "instructions": [b'{"instruction":"Say hi.","input":"","output":"hi"}\n', b'[{"prompt":"a","completion":"b"}]'],
}
