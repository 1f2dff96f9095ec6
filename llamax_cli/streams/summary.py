"""The summary line that a successful run writes to stderr."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from llamax_cli.console import counted


def summary(
    counts: Mapping[str, int],
    left_out: Mapping[str, int],
    remarks: Iterable[str],
    rejects: Path | None,
    is_full: bool,
    seconds: float,
    noun: str = "record",
) -> str:
    """Return the line: records written, rejected and left out, the remarks of the command, and the seconds.

    The `noun` is for what is written instead of records. `counts` has the keys "in", "out" and "rejected"; `is_full`
    says that `--limit` ended the run.
    `summary({"in": 3, "out": 2, "rejected": 1}, {}, [], Path("bad"), False, 2.5)` gives
    "2 records; 1 rejected, see bad; 2.5 s".
    """
    written = counted(counts["out"], noun)
    if is_full:
        written += " (the limit)"
    elif counts["in"] != counts["out"] + counts["rejected"] + sum(left_out.values()):
        written += f" from {counts['in']:,}"
    parts = [written]
    if counts["rejected"]:
        parts.append(f"{counts['rejected']:,} rejected, see {rejects}")
    if left_out:
        parts.append("left out: " + ", ".join(f"{count:,} {reason}" for reason, count in left_out.items()))
    return "; ".join([*parts, *remarks, f"{seconds:.1f} s"])
