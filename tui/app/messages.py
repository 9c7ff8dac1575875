"""What the background posts when it has found or done something. What a flow's own workers post stands beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.app.panels.load.fields import Limits
    from tui.app.panels.load.form import Form
    from tui.chat.thread import AsyncStore
    from tui.config.settings import LoadedConfig
    from tui.engine.registry import RunningEngine
    from tui.fit.receipts import LoadRecord
    from tui.hardware.snapshot import Snapshot
    from tui.library import Model


@dataclass
class ConfigRead(Message):
    """The person's settings, and everything that is wrong with files of theirs, in words."""

    config: LoadedConfig
    problems: tuple[str, ...]


@dataclass
class ModelsFound(Message):
    """What is on this machine now, and what was passed over and why."""

    models: tuple[Model, ...]
    notes: tuple[str, ...] = ()


@dataclass
class ModelNamed(Message):
    """The model that the command line named, or why there is none."""

    model: Model | None
    problem: str = ""


@dataclass
class Sampled(Message, bubble=False):
    """Memory and processor at this moment, and the engines of this user that run."""

    snapshot: Snapshot
    engines: tuple[RunningEngine, ...] = ()


@dataclass
class HistoryOpened(Message):
    """The conversations; `problem` says why they are in memory only."""

    store: AsyncStore
    problem: str = ""


@dataclass
class CutOff(Message):
    """A signal ended puna in the middle of an answer."""

    conversation_id: int


@dataclass
class FormRead(Message):
    """What the load panel begins with; `problem` is what is wrong with what was stored."""

    model: Model
    form: Form
    problem: str = ""


@dataclass
class LimitsKnown(Message):
    """More is known of what can be set for a model: its header was read, and the GPUs were asked for."""

    model: Model
    limits: Limits


@dataclass
class Remembered(Message):
    """Settings were written to models.toml, or could not be."""

    problem: str = ""


class WarmedUp(Message):
    """What the first load, the first price and the first answer need is imported."""


@dataclass
class LoadNoted(Message):
    """What a load took beside what was predicted; None where nothing was."""

    record: LoadRecord | None
