"""The load panel: how the selected model will be loaded, set by arrows and digits, with what will be written shown.

It asks for the load with `Load`, and leaves by `Closed`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widgets import Static

from tui.app.look import Drawn
from tui.app.panels.load.answer import Answer
from tui.app.panels.load.form import Form
from tui.app.panels.load.price import LETTERS
from tui.app.text import clean, fit
from tui.llama.settings import LoadSettings

if TYPE_CHECKING:
    from tui.library import Model

LABEL, VALUE = 18, 14


class LoadFields(Drawn, can_focus=True):
    """The fields. Its keys are the group "load" of the action table; digits are typed into numbers."""

    @dataclass
    class Changed(Message):
        """Another value, or another field."""

        form: Form

    def __init__(self, form: Form) -> None:
        super().__init__(id="fields")
        self._form = form

    @property
    def form(self) -> Form:
        """The values."""
        return self._form

    @form.setter
    def form(self, form: Form) -> None:
        if form != self._form:
            self._form = form
            self.refresh()
            self.post_message(self.Changed(form))

    def render_line(self, y: int) -> Strip:
        width, form = self.size.width, self._form
        first = (
            max(0, min(form.at - self.size.height + 1, len(form.fields) - self.size.height)) if self.size.height else 0
        )
        at = y + first
        if at >= len(form.fields):
            return Strip.blank(width, self.pen())
        one, here, glyphs = form.fields[at], at == form.at, self.glyphs
        on = "surface" if here else ""
        value = form.values[one.name]
        shown = one.shown(value)
        color = "muted" if value == one.automatic else "foreground"
        left, right = (glyphs.left, glyphs.right) if here else (" ", " ")
        segments = [
            Segment(f"{glyphs.pointer if here else ' '} ", self.pen("accent", on=on)),
            Segment(fit(one.label, LABEL), self.pen("foreground" if here else "muted", on=on)),
            Segment(f"{left} ", self.pen("accent", on=on)),
            Segment(fit(shown, VALUE - 4), self.pen(color, "bold" if here else "", on=on)),
            Segment(f" {right} ", self.pen("accent", on=on)),
        ]
        room = width - sum(cell_len(segment.text) for segment in segments)
        hint = form.hint() if here and room > 12 else ""
        segments.append(Segment(fit(f" {hint}", room, glyphs.ellipsis), self.pen("muted", on=on)))
        return self.line(segments, width)

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdigit() and event.character.isascii():
            event.stop()
            self.form = self.form.digit(event.character)

    def on_click(self, event: events.Click) -> None:
        if event.y < len(self.form.fields):
            self.form = self.form.move(event.y - self.form.at)

    def action_field_up(self) -> None:
        self.form = self.form.move(-1)

    def action_field_down(self) -> None:
        self.form = self.form.move(1)

    def action_less(self) -> None:
        self.form = self.form.step(-1)

    def action_more(self) -> None:
        self.form = self.form.step(1)

    def action_much_less(self) -> None:
        self.form = self.form.step(-1, page=True)

    def action_much_more(self) -> None:
        self.form = self.form.step(1, page=True)

    def action_auto(self) -> None:
        self.form = self.form.automatic()

    def action_rub_out(self) -> None:
        self.form = self.form.rub_out()

    def action_load_now(self) -> None:
        panel = self.parent
        if isinstance(panel, LoadPanel):
            panel.load_now()

    def action_take_fix(self, letter: str) -> None:
        panel = self.parent
        if isinstance(panel, LoadPanel):
            panel.take_fix(letter)

    def action_try_speed(self) -> None:
        self.post_message(LoadPanel.TrySpeed())

    def action_load_anyway(self) -> None:
        panel = self.parent
        if isinstance(panel, LoadPanel):
            panel.load_now(anyway=True)

    def action_close_load(self) -> None:
        self.post_message(LoadPanel.Closed())


class LoadPanel(Vertical):
    """The panel for one model."""

    @dataclass
    class Load(Message):
        """Load `model` with `settings`, and remember `changes` for it."""

        model: Model
        settings: LoadSettings
        changes: dict[str, Any]

    @dataclass
    class TrySpeed(Message):
        """How fast it would be is to be measured."""

    @dataclass
    class Closed(Message):
        """The panel is not wanted any more."""

    def __init__(self, model: Model, form: Form) -> None:
        super().__init__(id="load", classes="panel")
        self.model = model
        self._first = form
        self.border_title = Content(f"Load {clean(model.name)} {clean(model.quant or '')}".rstrip())

    def compose(self) -> ComposeResult:
        yield LoadFields(self._first)
        yield Answer()
        yield Static(Content(""), id="load-words")

    def on_mount(self) -> None:
        self.fields.styles.height = len(self._first.fields)
        self._tell(self._first)

    @property
    def fields(self) -> LoadFields:
        """The fields."""
        return self.query_one(LoadFields)

    @property
    def answer(self) -> Answer:
        """What the settings come to."""
        return self.query_one(Answer)

    def on_descendant_focus(self) -> None:
        self.add_class("-on")

    def on_descendant_blur(self) -> None:
        self.remove_class("-on")

    def say(self, words: str) -> None:
        """A problem that only loading or writing could find."""
        self.query_one("#load-words", Static).update(Content(clean(words)).stylize("$warning"))

    def load_now(self, *, anyway: bool = False) -> None:
        """Ask for the load, unless something is wrong; `anyway` even where it does not fit."""
        form, price = self.fields.form, self.answer.price
        if form.problem():
            return
        if price is not None and price.assessment.verdict == "no" and not anyway:
            self.say("It does not fit. Choose one of the changes, or load it anyway.")
        else:
            self.post_message(self.Load(self.model, form.settings(), form.changes()))

    def take_fix(self, letter: str) -> None:
        """Set what the fix with this letter says."""
        price = self.answer.price
        at = LETTERS.find(letter.upper())
        if price is not None and 0 <= at < len(price.offered):
            settings = price.offered[at].settings
            assert settings is not None, "only such fixes are offered"
            self.fields.form = self.fields.form.with_settings(settings)

    def on_load_fields_changed(self, event: LoadFields.Changed) -> None:
        self._tell(event.form)

    def _tell(self, form: Form) -> None:
        words = self.query_one("#load-words", Static)
        if problem := form.problem():
            words.update(Content(problem).stylize("$warning"))
            return
        written = "  ".join(
            f"{name} = {value!r}".replace("'", '"') for name, value in form.changes().items() if value is not None
        )
        text = f"models.toml: {written}" if written else "models.toml: nothing of its own, the defaults count"
        words.update(Content(text).stylize("$faint"))
