"""The settings that the load panel offers, as an immutable value: stepping, typing a number, auto, and what is wrong.

Pure: no drawing, no files. A form always knows the settings it stands for, or why there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from tui.llama.settings import KV_TYPES, MAX_LAYERS, MAX_N_CTX, MAX_THREADS, LoadSettings, SettingsError

CONTEXT_STEP: Final = 1024
"""Tokens of one small step; llama.cpp pads to 256 in any case."""
USUAL_CONTEXT: Final = 4096
"""Where stepping begins from auto."""
MOST_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known about the file and the machine; None where it is not."""

    n_layer: int | None = None
    """Layers, without the output layer."""
    n_ctx_train: int | None = None
    """Context that the model was trained with, in tokens."""
    cores: int | None = None
    """Physical cores that may be used."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting with a few values, in order."""

    name: str
    label: str
    options: tuple[str, ...]
    automatic: str

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> Any:
        at = self.options.index(value) if value in self.options else 0
        to = (0 if direction < 0 else len(self.options) - 1) if page else at + direction
        return self.options[max(0, min(len(self.options) - 1, to))]


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a number, or auto, or (layers) all."""

    name: str
    label: str
    automatic: str = "auto"

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> Any:
        if self.name == "n_ctx":
            return _step_context(value, direction, page, limits)
        low, high = self.bounds(limits)
        if self.name == "n_gpu_layers" and value == "all":
            value = high + 1 if direction < 0 else high
        if isinstance(value, str):
            value = high + 1 if direction < 0 else (low - 1 if self.name == "threads" else high)
        size = max(2, (high - low) // 8) if page and high < MAX_LAYERS else (8 if page else 1)
        number = max(low, min(high, value + direction * size))
        return "all" if self.name == "n_gpu_layers" and limits.n_layer and number == high and direction > 0 else number

    def bounds(self, limits: Limits) -> tuple[int, int]:
        """Lowest and highest number that makes sense here."""
        if self.name == "n_gpu_layers":
            return 0, limits.n_layer + 1 if limits.n_layer else MAX_LAYERS
        if self.name == "threads":
            return 1, limits.cores or MAX_THREADS
        return 256, limits.n_ctx_train or MAX_N_CTX


Field = Choice | Number

FIELDS: Final[tuple[Field, ...]] = (
    Number("n_gpu_layers", "n_gpu_layers"),
    Number("n_ctx", "n_ctx"),
    Choice("type_k", "KV cache, keys", KV_TYPES, "f16"),
    Choice("type_v", "KV cache, values", KV_TYPES, "f16"),
    Choice("flash_attn", "flash attention", ("off", "auto", "on"), "auto"),
    Number("threads", "threads"),
)


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

    @classmethod
    def of(cls, base: LoadSettings, stored: LoadSettings, limits: Limits) -> Form:
        """The form that shows `stored`."""
        return cls(base, stored, {one.name: getattr(stored, one.name) for one in FIELDS}, limits)

    @property
    def field(self) -> Field:
        """The field under the cursor."""
        return FIELDS[self.at]

    def move(self, by: int) -> Form:
        """The field above or below."""
        return replace(self, at=max(0, min(len(FIELDS) - 1, self.at + by)), typed="")

    def step(self, direction: int, page: bool = False) -> Form:
        """One step (or a large one) down (-1) or up (1)."""
        value = self.field.step(self.values[self.field.name], direction, page, self.limits)
        return self._set(value)

    def automatic(self) -> Form:
        """Back to what is chosen without a person."""
        return self._set(self.field.automatic)

    def digit(self, digit: str) -> Form:
        """A digit typed behind those before it."""
        if isinstance(self.field, Choice) or len(self.typed) >= MOST_DIGITS:
            return self
        typed = (self.typed + digit).lstrip("0") or "0"
        return replace(self._set(int(typed)), typed=typed)

    def rub_out(self) -> Form:
        """Without the last digit; without any it is automatic again."""
        if isinstance(self.field, Choice):
            return self
        typed = (self.typed or str(self.values[self.field.name]))[:-1]
        if not typed.isdigit():
            return self.automatic()
        return replace(self._set(int(typed)), typed=typed)

    def settings(self) -> LoadSettings:
        """The settings on the panel; raises SettingsError in words."""
        settings = msgspec.structs.replace(self.stored, **self.values)
        layers, n_layer = settings.n_gpu_layers, self.limits.n_layer
        if isinstance(layers, int) and n_layer and layers > n_layer + 1:
            raise SettingsError("n_gpu_layers", f"{layers} is more than the {n_layer + 1} that this model has")
        return settings

    def problem(self) -> str:
        """Why there are no settings; empty when there are."""
        try:
            self.settings()
        except SettingsError as error:
            return str(error)
        return ""

    def changes(self) -> dict[str, Any]:
        """What models.toml is to hold: each value that is not the base's; None takes a key away."""
        base = {one.name: getattr(self.base, one.name) for one in FIELDS}
        return {name: None if value == base[name] else value for name, value in self.values.items()}

    def hint(self) -> str:
        """What is worth knowing about the field under the cursor."""
        return _hint(self.field.name, self.values, self.limits)

    def _set(self, value: Any) -> Form:
        return replace(self, values={**self.values, self.field.name: value}, typed="")


def _step_context(value: Any, direction: int, page: bool, limits: Limits) -> int:
    high = limits.n_ctx_train or MAX_N_CTX
    if isinstance(value, str):
        return min(USUAL_CONTEXT, high)
    if page:
        stepped = value * 2 if direction > 0 else value // 2
    else:
        stepped = (
            (value // CONTEXT_STEP + direction) * CONTEXT_STEP if value >= CONTEXT_STEP else value + direction * 256
        )
        if direction < 0 and value % CONTEXT_STEP and value > CONTEXT_STEP:
            stepped = value // CONTEXT_STEP * CONTEXT_STEP
    return int(max(256, min(max(high, 256), stepped)))


def _hint(name: str, values: Mapping[str, Any], limits: Limits) -> str:
    if name == "n_gpu_layers":
        return f"of {limits.n_layer + 1}; 0 keeps all in RAM" if limits.n_layer else "0 keeps all in RAM"
    if name == "n_ctx":
        trained = limits.n_ctx_train
        if not trained:
            return "tokens of prompt and answer together"
        over = isinstance(values[name], int) and values[name] > trained
        return f"trained with {trained:,}".replace(",", " ") + ("; more needs RoPE scaling" if over else " tokens")
    if name in ("type_k", "type_v"):
        return "q8_0 takes about half of f16" if values[name] in ("f16", "bf16") else "f16 is the usual type"
    if name == "flash_attn":
        return "needed by a quantized KV cache of values"
    return f"{limits.cores} physical cores here" if limits.cores else "physical cores are best"
