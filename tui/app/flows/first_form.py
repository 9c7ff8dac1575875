"""What the load panel begins with: settings as they are kept, and what bounds them. Reads files; meant for a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.messages import FormRead
from tui.app.panels.load.fields import Limits
from tui.app.panels.load.form import Form
from tui.app.places import RESERVED_THREADS
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.hardware.cpu import default_threads, physical_cores
from tui.llama.settings import SettingsError
from tui.models.prepare import wished_for
from tui.models.subject import Subject
from tui.models.wishes import wished_settings

if TYPE_CHECKING:
    from tui.library import Model


def first_form(paths: Paths, model: Model, settings: Settings) -> FormRead:
    """The load panel's first values. Reads files."""
    problem = ""
    try:
        base = wished_settings({}, {}, settings.load.values())
    except SettingsError as error:
        base, problem = wished_settings({}, {}, {}), f"config.toml: {error}"
    try:
        stored = wished_for(paths, model, settings)
    except SettingsError as error:
        stored, problem = base, problem or f"models.toml: {error}"
    return FormRead(model, Form.of(base, stored, limits_of(model)), problem)


def limits_of(model: Model, subject: Subject | None = None, devices: tuple[str, ...] = ()) -> Limits:
    """What bounds the settings of a model, as far as it is known."""
    n_block = subject.shape.n_block if subject is not None else model.n_layer
    n_expert = subject.shape.n_expert if subject is not None else 0
    projector = subject.projector.name if subject is not None and subject.projector is not None else ""
    return Limits(
        n_block, model.n_ctx_train, physical_cores(), n_expert, default_threads(RESERVED_THREADS), devices, projector
    )
