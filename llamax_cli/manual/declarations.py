"""What a page says of a command's options and settings, made from their declarations."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import Field
from functools import cache
from typing import Any

from typer import Context

from llamax_cli.cli import load
from llamax_cli.config import TUNING, Training, grouped_settings, written
from llamax_cli.manual.tables import code, prose, table

SHARED = "Every command"  # the title of the options that mean the same everywhere


@cache
def _command(name: str) -> tuple[Any, Context]:
    command = load(name)
    return command, Context(command, info_name=f"llamax {name}", **command.context_settings)


def docstring(name: str) -> str:
    """Return what a command says of itself."""
    command, _ = _command(name)
    return str(command.help)


def synopsis(name: str) -> str:
    """Return how a command is called: "Usage: `llamax mix [OPTIONS]`"."""
    command, context = _command(name)
    return f"Usage: {code(' '.join([f'llamax {name}', *command.collect_usage_pieces(context)]))}"


def options(name: str) -> str:
    """Return the tables of all options of a command: its own, then each group under its title."""
    groups = _groups(name)
    own = _table(groups.pop("", []))
    return "\n\n".join([own, *(f"**{title}**\n\n{_table(rows)}" for title, rows in groups.items())])


def shared_options() -> str:
    """Return the table of the options that mean the same everywhere, as `llamax augment` has all of them."""
    return _table(_groups("augment")[SHARED])


def _groups(name: str) -> dict[str, list[Sequence[str]]]:
    command, context = _command(name)
    groups: dict[str, list[Sequence[str]]] = defaultdict(list)
    *parameters, help_option = command.get_params(context)
    for each in parameters:
        if not each.hidden:
            groups[each.rich_help_panel or ""].append(_row(each, context))
    groups[next(reversed(groups), "")].append(_row(help_option, context))
    return groups


def _table(rows: Sequence[Sequence[str]]) -> str:
    return table(("option", "meaning", "default"), rows)


def _row(parameter: Any, context: Context) -> Sequence[str]:
    """Return an option as --help has it, in cells: its names and value, its help and its limits, its default."""
    names, text = parameter.get_help_record(context)
    words = parameter.help or ""
    default = re.search(r"\[default: (.*?)(?:; [^;]*)?\]$", text.removeprefix(words))
    value = default[1] if default else ""
    meaning = " ".join([prose(words), *_limits(parameter)])
    return code(names), meaning, "required" if parameter.required else code(value)


def _limits(parameter: Any) -> list[str]:
    least, most = getattr(parameter.type, "min", None), getattr(parameter.type, "max", None)
    if least is None:
        return [] if most is None else [f"At most {most}."]
    return [f"At least {least}." if most is None else f"From {least} to {most}."]


def settings(name: str) -> str:
    """Return the tables of all settings of a run, with their defaults for `train` or `tune`."""
    groups = (f"**{title}**\n\n{_settings_table(name, group)}" for title, group in grouped_settings().items())
    return "\n\n".join(groups)


def _settings_table(name: str, group: Sequence[Field[Any]]) -> str:
    usual = Training()
    defaults = TUNING if name == "tune" else usual
    rows = []
    for each in group:
        value, other = shown(getattr(defaults, each.name)), shown(getattr(usual, each.name))
        rows.append((code(each.name), _meaning(each), value if value == other else f"{value} (train: {other})"))
    return table(("setting", "meaning", "default"), rows)


def _meaning(setting: Field[Any]) -> str:
    among = setting.metadata.get("among")
    return prose(setting.metadata["help"]) + (f" ({', '.join(map(shown, among))})" if among else "")


def shown(value: Any) -> str:
    """Return a value of a setting as a cell: `shown(("a", "b")) -> "`a`, `b`"`."""
    return ", ".join(map(code, value)) or "none" if isinstance(value, tuple) else written(value)
