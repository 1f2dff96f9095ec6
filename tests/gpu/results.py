"""What was measured: results.json, which grows check by check, and RESULTS.md, the same as a person reads it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gpu.checks import STEPS, Check, checks_of
from llamax_cli.streams.atomic import atomic_file

Outcome = Mapping[str, Any]
HEAD = """# Results of the checks on a GPU

Written by `tests/gpu/run.sh`, from `results.json` beside it; `tests/README.md` says what each step does.
"""
NO_GPU = "**There is no figure of a GPU yet.** What follows shows only that every step runs.\n"
TRIAL = "A trial with small sizes on a CPU: its figures say nothing about a GPU.\n"


class Results:
    """The outcomes on every machine, kept in a folder; `facts` are those of this machine."""

    def __init__(self, folder: Path, facts: Mapping[str, str]) -> None:
        self._folder = folder
        self._all = read(folder)
        self._own = self._all.setdefault(facts["name"], {"facts": {}, "checks": {}})
        self._own["facts"] = dict(facts)

    def has_figure(self, step: str, check: Check) -> bool:
        """Return whether a check has been measured; one that failed or could not be run is tried again."""
        return "figure" in self._own["checks"].get(step, {}).get(check.name, {})

    def add(self, step: str, check: Check, outcome: Outcome) -> None:
        """Keep the outcome of a check, and write both files."""
        self._own["checks"].setdefault(step, {})[check.name] = dict(outcome)
        for name, text in (("results.json", json.dumps(self._all, indent=1) + "\n"), ("RESULTS.md", page(self._all))):
            with atomic_file(self._folder / name) as file:
                file.write(text.encode())

    def is_good(self, step: str, check: Check) -> bool:
        """Return whether a check neither failed nor missed its goal."""
        outcome = self._own["checks"][step][check.name]
        return outcome.get("met") is not False and "failed" not in outcome


def read(folder: Path) -> dict[str, Any]:
    """Return the results in a folder by machine; none if there are none yet."""
    path = folder / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return results


def page(results: Mapping[str, Any]) -> str:
    """Return RESULTS.md."""
    is_trial = {name: machine["facts"]["card"] == "none" for name, machine in results.items()}
    parts = [HEAD, *([NO_GPU] if all(is_trial.values()) else [])]
    for name in sorted(results, key=lambda name: is_trial[name]):
        parts += [f"## {name}\n", *([TRIAL] if is_trial[name] else []), *_machine(results[name])]
    return "\n".join(parts)


def _machine(machine: Mapping[str, Any]) -> Iterator[str]:
    yield "\n".join(f"- {name}: {value}" for name, value in machine["facts"].items() if name != "name") + "\n"
    for step in STEPS:
        outcomes = machine["checks"].get(step, {})
        yield f"### {step}\n"
        yield "| check | what is measured | figure | goal | | seconds |\n|---|---|---:|---|---|---:|"
        order = [check.name for check in checks_of(step)]
        yield from (_row(name, outcomes[name]) for name in order if name in outcomes)
        if absent := [name for name in order if name not in outcomes]:
            yield f"\nNot yet run: {', '.join(absent)}."
        yield ""
        yield from (f"```\n{outcomes[name]['table']}\n```\n" for name in order if outcomes.get(name, {}).get("table"))


def _row(name: str, outcome: Outcome) -> str:
    figure = f"{outcome['figure']:,.4g} {outcome['unit']}".strip() if "figure" in outcome else ""
    said = describe(outcome).replace("|", "/")
    return f"| {name} | {outcome['what']} | {figure} | {outcome['goal']} | {said} | {outcome['seconds']:g} |"


def describe(outcome: Outcome) -> str:
    """Return in words how a check went: `met; 12 graphs`, `not run: one card`."""
    for kind in ("not run", "failed"):
        if kind in outcome:
            return f"{kind}: {outcome[kind]}"
    verdict = {True: "met", False: "**not met**", None: ""}[outcome["met"]]
    return "; ".join(part for part in (verdict, outcome["note"]) if part)
