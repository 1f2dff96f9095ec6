"""A plan distributes texts: as many as are missing, and no text twice before each is used once."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.errors import RecordError
from llamax_cli.records import Record
from llamax_cli.translation.missing_pairs import Plan, add_missing, circle


@given(st.integers(1, 60), st.lists(st.integers(0, 90), min_size=1, max_size=6), st.integers(0, 5))
def test_every_direction_gets_what_it_lacks(size: int, lacking: list[int], seed: int) -> None:
    """Or one pair from each text; the numbers of uses of any two texts differ by at most one."""
    missing = {f"l{number}": count for number, count in enumerate(lacking)}
    plan = circle(size, missing, seed)
    targets = [plan.targets(number) for number in range(size)]
    assert Counter(code for each in targets for code in each) == Counter(
        {code: min(count, size) for code, count in missing.items() if count}
    )
    uses = [len(each) for each in targets]
    assert max(uses) - min(uses) <= 1


def records(count: int) -> list[Record]:
    """Return texts, some empty and some of another language."""
    made: list[Record] = [{"text": f"text {number}", "lang": "en", "id": str(number)} for number in range(count)]
    return [*made, {"text": " ", "lang": "en"}, {"text": "x", "lang": "de"}]


def planned(texts: list[Any], done: int = 0, seed: int = 0) -> list[list[Record]]:
    """Return what a plan makes of each text after the first `done`."""
    missing = {"en": {"wo": 5, "umb": 30}}
    plan = Plan(missing, lambda: iter(texts), lambda: done, seed)
    return [list(plan.expand(record)) for record in texts[done:]]  # type: ignore[arg-type]


def test_a_plan_makes_pairs() -> None:
    """With origin, direction and the text as source."""
    made = [each for pairs in planned(records(20)) for each in pairs]
    assert Counter(each["tgt_lang"] for each in made) == {"wo": 5, "umb": 20}
    assert {(each["src_lang"], each["origin"]) for each in made} == {("en", "mt")}
    assert all(set(each) == {"id", "src", "src_lang", "tgt_lang", "origin"} for each in made)


def test_a_resumed_plan_continues_where_it_stopped() -> None:
    """From any line, with empty texts and other languages in between."""
    texts: list[Any] = [*records(7)[::-1], *records(5)]
    whole = planned(texts)
    for done in range(len(texts)):
        assert planned(texts, done) == whole[done:]
    assert any(planned(texts, seed=seed) != whole for seed in range(1, 5))


def test_a_plan_reports_its_shortfall() -> None:
    """By direction."""
    plan = Plan({"en": {"wo": 5, "umb": 1}}, lambda: iter(records(2)), lambda: 0, 0)
    plan.expand(records(1)[0])
    assert plan.shortfall == {"en-wo": 3}


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (b'"7"', "not a whole number from 0"),
        (b"-1", "not a whole number from 0"),
        (b"true", "not a whole number from 0"),
    ],
)
def test_a_record_that_is_not_of_a_plan(count: bytes, reason: str) -> None:
    """It is refused with the reason."""
    import msgspec

    with pytest.raises(RecordError, match=reason):
        add_missing({}, {"src_lang": "en", "tgt_lang": "wo", "missing": msgspec.Raw(count)})
    with pytest.raises(RecordError, match="en-wo is planned twice"):
        add_missing({"en": {"wo": 1}}, {"src_lang": "en", "tgt_lang": "wo", "missing": 1})
