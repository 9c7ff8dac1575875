"""What has been fetched: it is one key from being loaded, and found in the library by what it was called there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.text import clean

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.app.messages import ModelsFound
    from tui.hub.downloads.values import Item
    from tui.library import Model


class Arrived:
    """Knows the model that came last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._load_when_listed: Item | None = None
        self.last: Item | None = None
        """The model that came last, until it is loaded."""

    def came(self, item: Item, path: str) -> None:
        """A model is here, at `path`."""
        from msgspec.structs import replace

        self.last = replace(item, path=path)
        self._desk.refresh_keys()

    def load(self) -> None:
        """Load the model that came last."""
        item, self.last = self.last, None
        if item is None:
            return
        model = self.model_of(item)
        if model is not None:
            self._desk.loading.load(model)
        else:
            self._load_when_listed = item
            self._desk.library.look()

    def on_models_found(self, _event: ModelsFound) -> None:
        """The library has been read anew: what was to be loaded may be there now."""
        item, self._load_when_listed = self._load_when_listed, None
        model = self.model_of(item) if item is not None else None
        if model is not None:
            self._desk.loading.load(model)
        elif item is not None:
            self.tell_gone(item)

    def model_of(self, item: Item) -> Model | None:
        """It as the library lists it."""
        for model in self._desk.bench.library.models:
            if str(model.path) == item.path or (model.repo == item.repo and model.file == item.file):
                return model
        return None

    def tell_gone(self, item: Item) -> None:
        """Say that what was fetched is nowhere in the library."""
        self._desk.tell(f"{clean(item.name)} is not in the library; it may have been moved away.", "warning")
