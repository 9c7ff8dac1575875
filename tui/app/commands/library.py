"""What is done with the list of models, and with the files of the selected one."""

from __future__ import annotations

from tui.app.commands.part import Part


class Library(Part):
    """The library's actions; those that need a model take the selected one."""

    @property
    def _keys_are_free(self) -> bool:
        """False while letters narrow the list."""
        return not self._desk.bench.library.typing

    def model_details(self) -> None:
        model = self._desk.bench.library.selected
        if model is not None:
            self._desk.library.read_details(model)

    def can_model_details(self) -> bool:
        return self._desk.bench.library.selected is not None and self._keys_are_free

    def delete_model(self) -> None:
        model = self._desk.bench.library.selected
        if model is not None:
            self._desk.library.delete(model)

    can_delete_model = can_model_details

    def join_copies(self) -> None:
        model = self._desk.bench.library.selected
        if model is not None:
            self._desk.library.join(model)

    def can_join_copies(self) -> bool:
        model = self._desk.bench.library.selected
        return model is not None and model.problem is None and self._keys_are_free

    def add_model(self) -> None:
        self._desk.library.add()

    def can_add_model(self) -> bool:
        return self._desk.settings is not None and self._keys_are_free

    def filter_models(self) -> None:
        self._desk.bench.go("library")
        self._desk.bench.library.start_typing()
        self._desk.refresh_keys()

    def can_filter_models(self) -> bool:
        return len(self._desk.bench.library.models) > 1 and self._keys_are_free

    def clear_filter(self) -> None:
        self._desk.bench.library.narrow("")
        self._desk.refresh_keys()

    def can_clear_filter(self) -> bool:
        return bool(self._desk.bench.library.words)

    def sort_models(self) -> None:
        self._desk.bench.go("library")
        self._desk.library.sort_next()

    can_sort_models = can_filter_models
