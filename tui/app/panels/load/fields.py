"""The settings of the load panel, one by one: which there are for a model on a machine, and what a step does to each.

Pure values; a field knows how to step and how its value is read, and keeps none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Final, Protocol

from tui.app.text import thousands
from tui.llama.settings import KV_TYPES, MAX_LAYERS, MAX_N_CTX, MAX_THREADS, NO_DEVICES, NO_PROJECTOR, LoadSettings

CONTEXT_STEP: Final = 1024
"""Tokens of one small step; llama.cpp pads to 256 in any case."""
USUAL_CONTEXT: Final = 4096
"""Where stepping begins from auto."""
LEAST_CONTEXT: Final = 256
MOST_LISTED: Final = 4
"""Devices of which every selection is offered; of more, all of them or one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known about the file and the machine; None where it is not."""

    n_layer: int | None = None
    """Layers, without the output layer."""
    n_ctx_train: int | None = None
    """Context that the model was trained with, in tokens."""
    cores: int | None = None
    """Physical cores that may be used."""
    n_expert: int = 0
    """Experts of a layer; 0 for a dense model."""
    threads: int | None = None
    """Threads that a load gets by itself."""
    devices: tuple[str, ...] = ()
    """llama.cpp's names of the GPUs that it can use here."""
    projector: str = ""
    """Name of the projector's file that lies beside the model."""

    def layers(self, n_gpu_layers: int | str, *, from_all: bool = False) -> int | str:
        """The same number of layers as the panel shows it: more than the model has is all, and with `from_all` all of
        them is, too.
        """
        most = self.n_layer + (0 if from_all else 1) if self.n_layer else None
        return "all" if isinstance(n_gpu_layers, int) and most and n_gpu_layers > most else n_gpu_layers


class Field(Protocol):
    """One setting."""

    @property
    def name(self) -> str:
        """As in LoadSettings."""

    @property
    def label(self) -> str:
        """As on the panel."""

    @property
    def automatic(self) -> Any:
        """The value that counts without a person."""

    @property
    def typed(self) -> bool:
        """True where digits can be typed."""

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> Any:
        """The value one step down (-1) or up (1) from `value`; `page` is a large step."""

    def shown(self, value: Any) -> str:
        """A value in words."""

    def comes_to(self, value: Any, loaded: Any, limits: Limits) -> str:
        """What a load makes of a value, in words; empty where that is the value itself."""

    def hint(self, values: Mapping[str, Any], limits: Limits) -> str:
        """What is worth knowing, given all values on the panel."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A setting with a few values, in order."""

    name: str
    label: str
    options: tuple[Any, ...]
    automatic: Any
    words: Mapping[Any, str] = field(default_factory=dict)
    """How values read that are no words or numbers."""
    advice: str = ""
    typed: bool = False

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> Any:
        if value not in self.options:  # set by hand in models.toml
            return self.automatic
        to = (0 if direction < 0 else len(self.options) - 1) if page else self.options.index(value) + direction
        return self.options[max(0, min(len(self.options) - 1, to))]

    def shown(self, value: Any) -> str:
        if isinstance(value, tuple):
            return self.words.get(value) or ", ".join(f"{one:g}" if isinstance(one, float) else one for one in value)
        return str(value)

    def comes_to(self, value: Any, loaded: Any, limits: Limits) -> str:
        return "" if value == loaded else self.shown(loaded)

    def hint(self, values: Mapping[str, Any], limits: Limits) -> str:
        if self.name in ("type_k", "type_v"):
            return "q8_0 takes about half of f16" if values[self.name] in ("f16", "bf16") else "f16 is the usual type"
        return self.advice


@dataclass(frozen=True, slots=True)
class Number:
    """A setting that is a number between two bounds, or one of a few words."""

    name: str
    label: str
    automatic: Any = "auto"
    typed: bool = True

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> Any:
        low, high = self.bounds(limits)
        if value == "all":
            value = high + 1 if direction < 0 else high
        if isinstance(value, str):  # from auto up: all layers, but the fewest threads
            value = high + 1 if direction < 0 else (low - 1 if self.name == "threads" else high)
        size = max(2, (high - low) // 8) if page and high < MAX_LAYERS else (8 if page else 1)
        number = max(low, min(high, value + direction * size))
        return "all" if self.name == "n_gpu_layers" and limits.n_layer and number == high and direction > 0 else number

    def bounds(self, limits: Limits) -> tuple[int, int]:
        """Lowest and highest number that makes sense here."""
        if self.name == "threads":
            return 1, limits.cores or MAX_THREADS
        if self.name == "n_cpu_moe":
            return 0, limits.n_layer or MAX_LAYERS
        return 0, limits.n_layer + 1 if limits.n_layer else MAX_LAYERS

    def shown(self, value: Any) -> str:
        return str(value)

    def comes_to(self, value: Any, loaded: Any, limits: Limits) -> str:
        if self.name != "n_gpu_layers" or not limits.n_layer:
            return "" if value == loaded else str(loaded)
        most = limits.n_layer + 1
        if loaded == (most if value == "all" else value):
            return ""
        return f"all {most}" if loaded == most else f"{loaded} of {most}"

    def hint(self, values: Mapping[str, Any], limits: Limits) -> str:
        if self.name == "n_gpu_layers":
            if not limits.n_layer:
                return "0 keeps all in RAM"
            if values[self.name] == "all":
                return f"{limits.n_layer + 1}; more is all, too"
            return f"of {limits.n_layer + 1}; 0 keeps all in RAM"
        if self.name == "n_cpu_moe":
            return f"layers of {limits.n_layer} whose experts stay in RAM"
        return f"{limits.cores} physical cores here" if limits.cores else "physical cores are best"


@dataclass(frozen=True, slots=True)
class Context:
    """The context: steps of 1024 tokens, large steps double and halve."""

    name: str = "n_ctx"
    label: str = "n_ctx"
    automatic: Any = "auto"
    typed: bool = True

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> int:
        high = max(limits.n_ctx_train or MAX_N_CTX, LEAST_CONTEXT)
        if isinstance(value, str):
            return min(USUAL_CONTEXT, high)
        return int(max(LEAST_CONTEXT, min(high, _stepped_context(value, direction, page))))

    def shown(self, value: Any) -> str:
        return thousands(value) if isinstance(value, int) else str(value)

    def comes_to(self, value: Any, loaded: Any, limits: Limits) -> str:
        return "" if value == loaded else self.shown(loaded)

    def hint(self, values: Mapping[str, Any], limits: Limits) -> str:
        trained, value = limits.n_ctx_train, values[self.name]
        if not trained:
            return "tokens of prompt and answer together"
        # The line is short; what more than that needs is said among the sentences below.
        over = isinstance(value, int) and value > trained
        return f"trained with only {self.shown(trained)}" if over else f"trained with {self.shown(trained)} tokens"


@dataclass(frozen=True, slots=True)
class Projector:
    """Whether the projector that lies beside the model is loaded, so that it can see."""

    name: str = "mmproj"
    label: str = "projector"
    automatic: Any = "auto"
    typed: bool = False

    def step(self, value: Any, direction: int, page: bool, limits: Limits) -> str:
        return NO_PROJECTOR if direction < 0 else "auto"

    def shown(self, value: Any) -> str:
        return Path(value).name

    def comes_to(self, value: Any, loaded: Any, limits: Limits) -> str:
        return "" if value == loaded else self.shown(loaded)

    def hint(self, values: Mapping[str, Any], limits: Limits) -> str:
        return "it sees no images" if values[self.name] == NO_PROJECTOR else "lets it see images"


def _stepped_context(value: int, direction: int, page: bool) -> int:
    if page:
        return value * 2 if direction > 0 else value // 2
    if value < CONTEXT_STEP:
        return value + direction * LEAST_CONTEXT
    if direction < 0 and value % CONTEXT_STEP and value > CONTEXT_STEP:
        return value // CONTEXT_STEP * CONTEXT_STEP
    return (value // CONTEXT_STEP + direction) * CONTEXT_STEP


_ALWAYS: Final[tuple[Field, ...]] = (
    Number("n_gpu_layers", "n_gpu_layers"),
    Context(),
    Choice("type_k", "KV cache keys", KV_TYPES, "f16"),
    Choice("type_v", "KV cache values", KV_TYPES, "f16"),
    Choice(
        "flash_attn",
        "flash attention",
        ("off", "auto", "on"),
        "auto",
        advice="needed by a quantized KV cache of values",
    ),
    Choice(
        "n_ubatch",
        "n_ubatch",
        (32, 64, 128, 256, 512, 1024, 2048),
        512,
        advice="tokens read at once; fewer need less memory, and more time",
    ),
)
_EXPERTS: Final = Number("n_cpu_moe", "n_cpu_moe", 0)
_THREADS: Final = Number("threads", "threads")
_PROJECTOR: Final = Projector()


def loaded_values(
    settings: LoadSettings, n_ctx: int, n_gpu_layers: int, flash_attn: str, limits: Limits
) -> dict[str, Any]:
    """What a load with resolved `settings` makes of every setting: llama.cpp pads the context, for one."""
    threads = limits.threads if isinstance(settings.threads, str) and limits.threads else settings.threads
    plain = {field.name: getattr(settings, field.name) for field in fields_of(limits)}
    return {**plain, "n_ctx": n_ctx, "n_gpu_layers": n_gpu_layers, "flash_attn": flash_attn, "threads": threads}


def fields_of(limits: Limits) -> tuple[Field, ...]:
    """The settings that make sense for a model on a machine, in the panel's order."""
    experts: tuple[Field, ...] = (_EXPERTS,) if limits.n_expert else ()
    devices: tuple[Field, ...] = (_selection(limits.devices),) if limits.devices else ()
    split: tuple[Field, ...] = (_split(limits.devices),) if len(limits.devices) > 1 else ()
    projector: tuple[Field, ...] = (_PROJECTOR,) if limits.projector else ()
    return (*_ALWAYS, *experts, *devices, *split, _THREADS, *projector)


def _selection(devices: tuple[str, ...]) -> Field:
    """Which devices."""
    sizes = range(1, len(devices)) if 1 < len(devices) <= MOST_LISTED else range(1, min(2, len(devices)))
    selections = [chosen for size in sizes for chosen in combinations(devices, size)]
    return Choice(
        "devices",
        "devices",
        (NO_DEVICES, (), *selections),
        (),
        words={(): "all of them", NO_DEVICES: "none, the CPU"},
        advice=f"of {len(devices)}: {', '.join(devices)}",
    )


def _split(devices: tuple[str, ...]) -> Field:
    """Which share of the layers each device gets."""
    even = tuple(1.0 for _ in devices)
    shares = [even, *((3.0, 1.0), (2.0, 1.0), (1.0, 2.0), (1.0, 3.0))] if len(devices) == 2 else [even]
    return Choice(
        "tensor_split",
        "split",
        ((), *shares),
        (),
        words={(): "by free memory", even: "even", **{pair: f"{pair[0]:g} : {pair[1]:g}" for pair in shares[1:]}},
        advice="share of the layers that each device gets",
    )
