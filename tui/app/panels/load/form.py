"""The settings that the load panel offers, as an immutable value: stepping, typing a number, auto, and what is wrong.

Pure: no drawing, no files. A form always knows the settings it stands for, or why there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from tui.app.panels.load.fields import Field, Limits, fields_of
from tui.llama.settings import LoadSettings, SettingsError

MOST_DIGITS: Final = 8


@dataclass(frozen=True)
class Form:
    """The values on the panel. `base` is what counts for a model that has no settings of its own, `stored` what this
    model is loaded with: everything that the panel does not show comes from there."""

    base: LoadSettings
    stored: LoadSettings
    values: Mapping[str, Any]
    limits: Limits = field(default_factory=Limits)
    at: int = 0
    """The field under the cursor."""
    typed: str = ""
    """Digits typed into that field so far."""
    others: Mapping[str, Any] = field(default_factory=dict)
    """Settings that the panel does not show and that are no longer as stored."""

    @classmethod
    def of(cls, base: LoadSettings, stored: LoadSettings, limits: Limits) -> Form:
        """The form that shows `stored`."""
        base, stored = (
            msgspec.structs.replace(one, n_gpu_layers=limits.layers(one.n_gpu_layers)) for one in (base, stored)
        )
        return cls(base, stored, {one.name: getattr(stored, one.name) for one in fields_of(limits)}, limits)

    def within(self, limits: Limits) -> Form:
        """The same settings, of which more is known now: fields may come or go, the cursor stays where it is."""
        shown, given = fields_of(limits), {**self.others, **self.values}
        values = {one.name: given.get(one.name, getattr(self.stored, one.name)) for one in shown}
        values["n_gpu_layers"] = limits.layers(values["n_gpu_layers"])
        others = {
            name: value for name, value in given.items() if name not in values and value != getattr(self.stored, name)
        }
        at = next((n for n, one in enumerate(shown) if one.name == self.field.name), min(self.at, len(shown) - 1))
        base = msgspec.structs.replace(self.base, n_gpu_layers=limits.layers(self.base.n_gpu_layers))
        return replace(self, base=base, values=values, limits=limits, at=at, others=others)

    @property
    def fields(self) -> tuple[Field, ...]:
        """The settings shown, in order."""
        return fields_of(self.limits)

    @property
    def field(self) -> Field:
        """The field under the cursor."""
        return self.fields[self.at]

    def move(self, by: int) -> Form:
        """The field above or below."""
        return replace(self, at=max(0, min(len(self.fields) - 1, self.at + by)), typed="")

    def step(self, direction: int, page: bool = False, loaded: Mapping[str, Any] | None = None) -> Form:
        """One step (or a large one) down (-1) or up (1); from "auto", of what `loaded` says it comes to."""
        value = self.values[self.field.name]
        if value == "auto" and isinstance(number := (loaded or {}).get(self.field.name), int):
            value = number
        return self._set(self.field.step(value, direction, page, self.limits))

    def neighbours(self, loaded: Mapping[str, Any] | None = None) -> tuple[LoadSettings, ...]:
        """The settings one step up and down from here, as `step` takes it, as far as there are such."""
        here, around = self.settings(), (self.step(1, loaded=loaded), self.step(-1, loaded=loaded))
        return tuple(form.settings() for form in around if not form.problem() and form.settings() != here)

    def automatic(self) -> Form:
        """Everything back to what is chosen without a person."""
        return replace(self, values={one.name: one.automatic for one in self.fields}, others={}, typed="")

    def digit(self, digit: str) -> Form:
        """A digit typed behind those before it."""
        if not self.field.typed or len(self.typed) >= MOST_DIGITS:
            return self
        typed = (self.typed + digit).lstrip("0") or "0"
        return replace(self._set(int(typed)), typed=typed)

    def rub_out(self) -> Form:
        """Without the last digit; without any the setting is automatic again."""
        typed = (self.typed or str(self.values[self.field.name]))[:-1]
        if not self.field.typed or not typed.isdigit():
            return self._set(self.field.automatic)
        return replace(self._set(int(typed)), typed=typed)

    def taking_over(self, before: LoadSettings, after: LoadSettings) -> Form:
        """The form with what differs between two resolved settings; what is automatic besides stays automatic."""
        names = LoadSettings.__struct_fields__
        changed = {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}
        if (layers := changed.get("n_gpu_layers")) is not None:
            changed["n_gpu_layers"] = self.limits.layers(layers, from_all=True)
        shown = {name: value for name, value in changed.items() if name in self.values}
        hidden = {name: value for name, value in changed.items() if name not in self.values}
        return replace(self, values={**self.values, **shown}, others={**self.others, **hidden}, typed="")

    def settings(self) -> LoadSettings:
        """The settings on the panel; raises SettingsError in words."""
        return msgspec.structs.replace(self.stored, **{**self.others, **self.values})

    def problem(self) -> str:
        """Why there are no settings; empty when there are."""
        try:
            self.settings()
        except SettingsError as error:
            return str(error)
        return ""

    def changes(self) -> dict[str, Any]:
        """What models.toml is to hold: each value that is not the base's; None takes a key away."""
        values = {**self.others, **self.values}
        return {name: None if value == getattr(self.base, name) else _plain(value) for name, value in values.items()}

    def hint(self) -> str:
        """What is worth knowing about the field under the cursor."""
        return self.field.hint(self.values, self.limits)

    def _set(self, value: Any) -> Form:
        if self.field.name == "n_gpu_layers":
            value = self.limits.layers(value)
        return replace(self, values={**self.values, self.field.name: value}, typed="")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
