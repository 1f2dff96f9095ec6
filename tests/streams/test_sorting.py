"""Sorting on disk: every row once, in byte order, however many runs there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamax_cli.streams import sorting
from llamax_cli.streams.sorting import SortedRuns


@given(st.lists(st.text("ab\u00e9", max_size=3), max_size=60), st.integers(2, 5), st.integers(1, 4))
def test_any_number_of_runs_is_merged(rows: list[str], most: int, size: int) -> None:
    """A process may open only so many files, so that many runs are merged in several steps; no row is lost."""
    with pytest.MonkeyPatch.context() as patch, SortedRuns() as runs:
        patch.setattr(sorting, "MOST_RUNS", most)
        patch.setattr(sorting, "BATCH", size)
        runs.add(rows)
        merged = [row for block in runs.merge() for row in block]
        assert not list(runs.folder.iterdir())  # what is read is deleted
    assert merged == sorted(row.encode() for row in rows)
