"""The shapes of a record as JSON Schema."""

from typing import Any, is_typeddict

import msgspec

from llamax_cli import records


def document() -> bytes:
    """Return one JSON Schema (draft 2020-12) with a definition for each shape, made from their declarations."""
    _, definitions = msgspec.json.schema_components(shapes(), ref_template="#/$defs/{name}")
    for shape in shapes():
        definitions[shape.__name__]["description"] = " ".join(str(shape.__doc__).split())
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "llamax records",
        "description": "The shapes of a record; it may carry other keys, too, which every command hands on.",
        "type": "object",
        "$defs": definitions,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"


def shapes() -> list[Any]:
    """Return the shapes that are declared, in their order."""
    return [each for each in vars(records).values() if is_typeddict(each)]
