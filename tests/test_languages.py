"""Languages: one code for each, whatever the spelling, and the published facts."""

import csv
import html
import re
import sys
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langcodes.data_dicts import LIKELY_SUBTAGS
from langcodes.registry_parser import parse_registry
from support.corpora import flores
from support.language_tokens import MBART50

from llamax_cli import languages as languages_module
from llamax_cli.conversion.formats.aligned import open_ntrex
from llamax_cli.conversion.segments import CorpusRequest, ignore_bad_line
from llamax_cli.errors import LanguageError
from llamax_cli.language_tags import registry
from llamax_cli.languages import base, canonical, covers, find, known, language, languages, variety
from llamax_cli.streams.inputs import Input

CODES = list(languages())
# The groups solved from the published averages; low is the rest.
HIGH = "af ast bg bs ca cs da de en es fr gl hr hu id it ms nl no pl pt ro ru sl sv uk"
OTHER_SYSTEMS = """
    ger=de fre=fr chi=zh per=fa ice=is cze=cs dut=nl rum=ro scr=hr scc=sr may=ms bur=my geo=ka arm=hy wel=cy gre=el
    arb=ar aze=az azj=az fas=fa pes=fa msa=ms zsm=ms swa=sw nep=ne ori=or gaz=om pbt=ps uzn=uz lvs=lv khk=mn mac=mk
    ekk=et fuv=ff cmn=zh nor=no nob=no nb=no nb-NO=no fil=tl tgl=tl nso=ns ckb=ku ku=ku iw=he in=id jw=jv mo=ro
    zh-Hant=zhtrad zh-TW=zhtrad zh-HK=zhtrad zh-CN=zh zh-SG=zh cmn-Hans=zh sr-Cyrl=sr kor_Hang=ko jpn_Hani=ja
    jpn_Kana=ja zh-Hant-HK=zhtrad cmn_hans_cn=zh eng-Latn=en deu-DE=de es-LA=es mao=mi slo=sk zho-HK=zhtrad
    fr-FR=fr es-ES=es ja-JP=ja sr-RS=sr en-US=en EN-us=en eng_US=en en-Latn-US=en por-BR=pt pt_br=pt sw-TZ=sw hu-HU=hu
    ar-EG=ar nn-NO=nn sq-AL=sq als-AL=als sr-Latn-RS=sr-Latn pa-Arab-PK=pa-Arab pa-PK=pa-Arab kmr-TR=kmr ckb-IQ=ku
    __de__=de <2de>=de <2zh_Hant>=zhtrad __ns__=ns <2ku>=kmr __ku__=kmr <2fil>=tl <2fr_CA>=fr-CA
"""
OUTSIDE = """
    eus=eu baq=eu alb=sq yid=yi ji=yi nno=nn hbs=sh yue=yue kmr=kmr prs=prs kzj=dtp ase=ase zh-min-nan=nan gsw-ZH=gsw-ZH
    srp-Latn=sr-Latn srp_Latn=sr-Latn arb_Latn=ar-Latn kmr_Latn=kmr yue_Hans=yue-Hans uig_Arab=ug ber-Latn=ber-Latn
    por-PT=pt-PT fra-CA=fr-CA spa-MX=es-MX eng-GB=en-GB EN-gb=en-GB fa-AF=fa-AF ku-Latn=ku-Latn ckb_Latn=ckb-Latn
    zh-Hans-TW=zh-Hans-TW ku-TR=ku-TR ar-SA=ar-SA es-419=es-419 sr-ME=sr-ME
    ca-ES-valencia=ca-valencia ca-valencia=ca-valencia drh-Latn=mn-Latn i-klingon=tlh
"""
# Unicode's name of a script, as the first word of its characters' names, by ISO 15924 code.
SCRIPT_WORDS = {
    "Arab": "ARABIC", "Armn": "ARMENIAN", "Beng": "BENGALI", "Cyrl": "CYRILLIC", "Deva": "DEVANAGARI",
    "Ethi": "ETHIOPIC", "Geor": "GEORGIAN", "Grek": "GREEK", "Gujr": "GUJARATI", "Guru": "GURMUKHI",
    "Hang": "HANGUL", "Hans": "CJK", "Hant": "CJK", "Hebr": "HEBREW", "Jpan": "HIRAGANA", "Khmr": "KHMER",
    "Knda": "KANNADA", "Laoo": "LAO", "Latn": "LATIN", "Mlym": "MALAYALAM", "Mymr": "MYANMAR", "Orya": "ORIYA",
    "Taml": "TAMIL", "Telu": "TELUGU", "Thai": "THAI",
}  # fmt: skip
REGISTRY: list[dict[str, str]] = list(parse_registry())  # type: ignore[no-untyped-call]
SUBTAGS = [entry["Subtag"] for entry in REGISTRY if entry["Type"] == "language" and ".." not in entry["Subtag"]]
NOT_ONE_LANGUAGE = {"und", "mul", "mis", "zxx"}


def spellings(code: str) -> set[str]:
    """Every spelling that the table gives for one language, folded."""
    entry = languages()[code]
    columns = {entry.code, entry.iso639_3, entry.flores101, entry.flores200, entry.bcp47, *entry.aliases}
    return {spelling.lower().replace("_", "-") for spelling in columns | {entry.flores200.split("_")[0]}}


def sheet(path: Path) -> list[dict[str, str]]:
    """The first sheet of a workbook as rows of {column letter: text}."""
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name).decode("utf-8") for name in book.namelist() if name.endswith(".xml")}
    shared = [text_of(item) for item in re.findall("<si>(.*?)</si>", parts.get("xl/sharedStrings.xml", ""), re.DOTALL)]
    rows = []
    for row in re.findall("<row .*?</row>", parts["xl/worksheets/sheet1.xml"], re.DOTALL):
        cells = re.findall(r'<c r="([A-Z]+)\d+"([^>]*[^>/])?>(.*?)</c>', row, re.DOTALL)
        texts = {column: (text_of(content), 't="s"' in kind) for column, kind, content in cells}
        rows.append({column: shared[int(text)] if indexed else text for column, (text, indexed) in texts.items()})
    return rows


def text_of(xml: str) -> str:
    """The text of a piece of XML without its tags."""
    return html.unescape(re.sub("<[^>]*>", "", xml))


def test_the_table_has_102_rows_sorted_by_code() -> None:
    """The languages of FLORES-101, each once."""
    assert len(CODES) == 102
    assert sorted(CODES) == CODES


def test_the_groups_are_the_published_ones() -> None:
    """26 high-resource languages by name, 76 low."""
    by_resource = Counter(entry.resource for entry in languages().values())
    assert by_resource == {"high": 26, "low": 76}
    assert {code for code, entry in languages().items() if entry.resource == "high"} == set(HIGH.split())


def test_no_spelling_names_two_languages() -> None:
    """Whatever the table spells means one language."""
    counts = Counter(spelling for code in CODES for spelling in spellings(code))
    # ISO 639-3 has one code for both scripts of Chinese.
    assert {spelling for spelling, count in counts.items() if count > 1} == {"zho"}
    assert canonical("zho") == "zh"


def test_aliases_repeat_no_other_column() -> None:
    """The column of aliases holds only codes that no other column has."""
    for entry in languages().values():
        columns = {entry.code, entry.iso639_3, entry.flores101, entry.flores200.split("_")[0], entry.bcp47}
        assert not columns & set(entry.aliases), entry.code


@given(st.sampled_from(CODES), st.data())
def test_every_spelling_in_any_case_is_the_language(code: str, draw: st.DataObject) -> None:
    """Upper and lower case are the same, and so are `-` and `_`."""
    spelling = draw.draw(st.sampled_from(sorted(spellings(code) - {"zho"})))
    upper = draw.draw(st.lists(st.booleans(), min_size=len(spelling), max_size=len(spelling)))
    typed = "".join(letter.upper() if up else letter for letter, up in zip(spelling, upper, strict=True))
    underscore = draw.draw(st.booleans())
    assert canonical(typed.replace("-", "_") if underscore else typed) == code


@pytest.mark.parametrize("code", CODES)
def test_iso_scripts_mrasp_and_panlex_are_derived(code: str) -> None:
    """`EN__`, `eng_Latn` and `eng-000` need no alias."""
    entry = languages()[code]
    assert canonical(f"{code.upper()}__") == code
    assert canonical(f"{entry.iso639_3}_{entry.script}") == code
    if code != "zhtrad":
        assert canonical(f"{entry.iso639_3}-000") == code


def test_varieties_of_panlex() -> None:
    """The number of a variety is dropped, but cmn-001 is traditional Chinese."""
    assert [canonical(code) for code in ("cmn-000", "cmn-001", "eng-007", "kmr-000")] == ["zh", "zhtrad", "en", "kmr"]


@pytest.mark.parametrize("code", MBART50.split())
def test_mbart_names_the_plain_language(code: str) -> None:
    """The regions in the 52 codes of mBART-50 make no difference."""
    assert canonical(code) == code.split("_")[0]


@pytest.mark.parametrize(("typed", "code"), [item.split("=") for item in OTHER_SYSTEMS.split()])
def test_codes_of_other_systems(typed: str, code: str) -> None:
    """ISO 639 (bibliographic, individual, macro, retired), BCP-47 and Tatoeba."""
    assert canonical(typed) == code


@pytest.mark.parametrize(("typed", "tag"), [item.split("=") for item in OUTSIDE.split()])
def test_other_languages_and_varieties_keep_a_tag_of_their_own(typed: str, tag: str) -> None:
    """No related language and no variety gets the code of one of the 102."""
    assert canonical(typed) == tag
    with pytest.raises(LanguageError, match="is not among the 102"):
        language(typed)


@pytest.mark.parametrize("code", [code for code in CODES if code not in ("ku", "zh", "zhtrad")])
def test_the_usual_region_goes_in_every_language(code: str) -> None:
    """It is CLDR's, and no other language has another rule; a region that is not the usual one stays."""
    bcp47 = languages()[code].bcp47
    region = LIKELY_SUBTAGS[bcp47].split("-")[2]
    for typed in (f"{bcp47}-{region}", f"{bcp47.upper()}_{region.lower()}", f"{languages()[code].iso639_3}_{region}"):
        assert canonical(typed) == code
    assert canonical(f"{bcp47}-AQ") == f"{bcp47}-AQ"
    assert base(f"{bcp47}-AQ") == code


def test_what_knows_the_language_is_used_for_its_regions() -> None:
    """The code itself, then the language, then its macrolanguage; another script or dialect is something else."""
    assert find("pt-PT", {"pt", "pt-PT"}) == "pt-PT"
    assert find("pt-PT", {"pt"}) == find("pt", {"pt"}) == "pt"
    assert find("pt", {"pt-PT"}) is None
    assert find("sr-ME", {"sr", "sr-Latn"}) == "sr-Latn"
    assert find("als", {"sq"}) == find("als-XK", {"sq"}) == "sq"
    assert find("sq", {"als"}) == "als"
    assert find("arz", {"ar"}) is find("ku-TR", {"ku"}) is find("kmr", {"ku"}) is find("prs", {"fa"}) is None
    assert covers("en", "en-GB")
    assert covers("en", "en")
    assert not covers("en-GB", "en")
    assert not covers("sr", "sr-Latn")
    assert not covers("ku", "ku-TR")


def test_a_variety_keeps_the_region_that_is_written() -> None:
    """For corpora that have both."""
    typed = ("eng-US", "en", "por_BR", "pt-pt", "zh-TW", "sr_Latn", "fra-CA")
    assert [variety(code) for code in typed] == ["en-US", "en", "pt-BR", "pt-PT", "zhtrad", "sr-Latn", "fr-CA"]
    assert {canonical(variety(code)) for code in ("eng-US", "en")} == {"en"}


@given(st.sampled_from(SUBTAGS))
def test_every_registered_language_is_accepted(subtag: str) -> None:
    """All of ISO 639 has a tag, and the tag is its own."""
    if subtag in NOT_ONE_LANGUAGE:
        with pytest.raises(LanguageError, match="does not name one language"):
            canonical(subtag)
    else:
        assert canonical(canonical(subtag)) == canonical(subtag)


@given(
    st.sampled_from(SUBTAGS) | st.sampled_from(CODES),
    st.sampled_from(["", *SCRIPT_WORDS]),
    st.sampled_from(["", "BR", "CN", "HK", "TW", "IQ", "XX", "419", "001"]),
)
def test_what_is_written_is_read_as_itself(subtag: str, script: str, region: str) -> None:
    """canonical() is idempotent on any language, script and region."""
    typed = "_".join(part for part in (subtag, script, region) if part)
    try:
        code = canonical(typed)
    except LanguageError:
        assert subtag in NOT_ONE_LANGUAGE | {"zhtrad"}
    else:
        assert canonical(code) == code
        assert code in CODES or "_" not in code


@given(st.text())
def test_any_other_text_is_refused_in_one_line(text: str) -> None:
    """Any text gives a code or an error of one line."""
    try:
        canonical(text)
    except LanguageError as error:
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("code", ["und", "mul", "mis", "zxx", "qaa", "qtz", "xx", "", "-", "en-", "eng_Latm", "en-x-a"])
def test_what_is_no_language_is_refused(code: str) -> None:
    """Special, private and malformed codes, and subtags not registered."""
    with pytest.raises(LanguageError):
        canonical(code)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("German", "unknown language 'German'; did you mean de (German)?"),
        ("german", "unknown language 'german'; did you mean de (German)?"),
        ("basque", "unknown language 'basque'; did you mean eu (Basque)?"),
        ("portugese", "unknown language 'portugese'; nearest: pt (Portuguese)"),
        ("eng_Latm", "unknown language 'eng_Latm'; nearest: en (English)"),
        ("zz", "unknown language 'zz'; a code is like de, deu, deu_Latn or de-AT"),
        ("mul", "'mul' does not name one language"),
    ],
)
def test_the_message_names_the_nearest(typed: str, message: str) -> None:
    """The message says what was typed and what was meant."""
    with pytest.raises(LanguageError) as caught:
        canonical(typed)
    assert str(caught.value) == message


@pytest.mark.parametrize("code", CODES)
def test_a_full_name_is_answered_with_its_code(code: str) -> None:
    """A name is not a code, but the message names the code."""
    for name in {languages()[code].name, languages()[code].prompt_name} - {"Lao", "Luo"}:
        with pytest.raises(LanguageError, match=re.escape(f"did you mean {code} (")):
            canonical(name)


def test_a_swapped_letter_in_a_name_still_finds_the_language() -> None:
    """A misspelt name still finds its language."""
    for entry in languages().values():
        if len(entry.name) > 5 and entry.name[2] != entry.name[3] and "(" not in entry.name:
            swapped = entry.name[:2] + entry.name[3] + entry.name[2] + entry.name[4:]
            with pytest.raises(LanguageError, match=re.escape(f"{entry.code} (")):
                canonical(swapped)


def test_language_outside_the_table_is_named() -> None:
    """language() knows only the 102."""
    with pytest.raises(LanguageError, match=re.escape("eu (Basque) is not among the 102 languages of the recipe")):
        language("eus")


def test_known_codes_never_import_langcodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registry is read only for codes outside the table."""
    monkeypatch.setitem(sys.modules, "langcodes", None)
    for code in CODES:
        for spelling in spellings(code) - {"zho"}:
            assert canonical(f"{spelling.title()}___") == code


def test_the_registry_has_what_langcodes_reads_in_it() -> None:
    """Entries are parsed one by one here."""
    assert dict(registry()) == {(each["Type"], (each.get("Subtag") or each["Tag"]).lower()): each for each in REGISTRY}


def test_flores_101_files(data: Path) -> None:
    """The official file names are the column flores101, all 102 of them."""
    files = {path.stem: canonical(path.stem) for path in (data / "flores101" / "devtest").glob("*.devtest")}
    assert sorted(files.values()) == CODES
    assert files == {entry.flores101: code for code, entry in languages().items()}


def test_ntrex_names_stay_apart(data: Path) -> None:
    """No two files of NTREX-128, its English source included, become one language of a corpus."""
    lines = (data / "ntrex128" / "LANGUAGES.tsv").read_text(encoding="utf-8").splitlines()
    names = [f"newstest2019-ref.{line.split()[0]}.txt" for line in lines if line] + ["newstest2019-src.eng.txt"]
    (corpus,) = open_ntrex(CorpusRequest(names, Input, ignore_bad_line))
    assert len(set(corpus.languages)) == len(names)
    assert {"en", "en-US", "en-GB", "pt", "pt-PT"} < set(corpus.languages)


def test_tatoeba_codes(data: Path) -> None:
    """Every code of the real files is read."""
    pairs = [path.stem.split("-") for path in (data / "tatoeba").glob("*-*.tsv")]
    assert pairs
    for source, target in pairs:
        assert canonical(source) != canonical(target)


def test_gatitos_and_muse_codes(data: Path) -> None:
    """Every code of the real file names is read."""
    for path in [*(data / "gatitos").glob("en_*.tsv"), *(data / "muse").glob("*-*.txt")]:
        source, target = re.split("[-_]", path.stem, maxsplit=1)
        assert canonical(source) != canonical(target)


def test_scripts_are_those_of_flores(data: Path) -> None:
    """Most letters of each FLORES file are of the script in the table."""
    for code, entry in languages().items():
        words: Counter[str] = Counter()
        for letter, count in Counter("\n".join(flores(data, code))).items():
            if letter.isalpha():
                words[unicodedata.name(letter, "").split(" ")[0]] += count
        assert words.most_common(1)[0][0] == SCRIPT_WORDS[entry.script], code
        assert entry.flores200.endswith(f"_{entry.script}")


def test_chinese_scripts_are_not_swapped(data: Path) -> None:
    """The two Chinese files differ where the scripts do."""
    simplified, traditional = "\n".join(flores(data, "zh")), "\n".join(flores(data, "zhtrad"))
    for simple, full in ("国國", "这這", "们們", "说說"):
        assert simplified.count(simple) > simplified.count(full)
        assert traditional.count(full) > traditional.count(simple)


def test_spaces_between_words_are_those_of_flores(data: Path) -> None:
    """Unspaced languages have few spaces, all others many."""
    for code, entry in languages().items():
        text = "\n".join(flores(data, code))
        assert entry.spaced == (text.count(" ") / len(text) > 0.07), code


def test_corpus_sizes_are_the_published_ones(data: Path) -> None:
    """Table 9, as in the published file."""
    with (data / "llamax-published" / "corpus_merge.csv").open(encoding="utf-8", newline="") as file:
        published = {
            row["lang"]: (int(row["mono"]), int(row["para"]), int(row["direct"])) for row in csv.DictReader(file)
        }
    assert {code: (entry.mono, entry.para, entry.directions) for code, entry in languages().items()} == published


def test_names_in_prompts_are_the_authors(data: Path) -> None:
    """The models saw these names, odd ones included."""
    rows = sheet(data / "llamax-published" / "language_name_code_pair.xlsx")
    published = {row["C"]: (row["A"], row["B"]) for row in rows if "C" in row and row["C"] in languages()}
    assert {code: (entry.prompt_name, entry.flores101) for code, entry in languages().items()} == published


def test_families_are_the_authors_but_for_one_slip(data: Path) -> None:
    """The family of Kabuverdianu is not Portuguese."""
    rows = sheet(data / "llamax-published" / "final_language_info.xlsx")[1:]
    published = {row["D"]: row["A"].replace("\N{EN DASH}", "-") for row in rows}
    assert published.pop("kea") == "Portuguese"
    assert {code: entry.family for code, entry in languages().items() if code != "kea"} == published
    assert language("kea").family == language("pt").family


def test_a_code_is_told_unknown_without_a_search_for_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search takes milliseconds, and who asks whether a word is a code does not show what it finds."""
    monkeypatch.setattr(languages_module, "_unknown", lambda code: pytest.fail("searched"))
    assert known("german") is None


def test_the_nearest_codes_are_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line of a file may have the same unknown code."""
    searches: list[str] = []
    monkeypatch.setattr("difflib.get_close_matches", lambda word, *_, **__: searches.append(word) or ["de"])
    for _ in range(3):
        with pytest.raises(LanguageError, match=r"unknown language 'g\?rm\?n'; nearest: de \(German\)"):
            canonical("g?rm?n")
    assert searches == ["g?rm?n"]


def test_what_is_too_long_for_a_code_is_not_kept() -> None:
    """As many codes as are kept could fill the memory."""
    kept = languages_module._resolve.cache_info().currsize
    assert known("x" * 1_000_000) is None
    assert languages_module._resolve.cache_info().currsize == kept
