"""Adapters of one model, each for a group of languages (X-ALMA); one is in memory at a time."""

from typing import Any

from llamax_cli.models import pretrained
from llamax_cli.models.contracts import GROUP


class GroupAdapters:
    """Puts the adapter of a group beside the weights of a model, whose own weights stay as they are.

    `pattern` is the folder or the name on the hub of each adapter, with `{group}` for the group.
    """

    def __init__(self, model: Any, pattern: str) -> None:
        self._model = model
        self._pattern = pattern
        self._adapted: Any = None
        self._group: str | None = None

    def use(self, group: str) -> None:
        """Translate with the adapter of this group from now on; ModelError if it cannot be loaded."""
        if group == self._group:
            return
        adapter = self._pattern.replace(GROUP, group)
        self._adapted = pretrained.swap_adapter(self._model, adapter, f"group{group}", self._adapted)
        self._model.eval()
        self._group = group
