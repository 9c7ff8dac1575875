"""The load panel: how the selected model will be loaded, set by arrows and digits, with what that comes to beside it.

It asks for the load with `Load`, and leaves by `Closed`. It works nothing out: `wait` says that a price is on its way,
`show` brings it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from tui.app.panels.load.answer import Answer
from tui.app.panels.load.fields import Limits, loaded_values
from tui.app.panels.load.form import Form
from tui.app.panels.load.lines import wrapped
from tui.app.panels.load.price import LETTERS, Price
from tui.app.panels.load.room import Room, shared
from tui.app.panels.load.steppers import LoadFields
from tui.app.text import clean, named

if TYPE_CHECKING:
    from tui.library import Model
    from tui.llama.settings import LoadSettings


_INDENT = 2
"""Cells before the answer and the words, so that they stand under the names of the fields."""


class LoadPanel(Vertical):
    """The panel for one model. Its keys are the group "load" of the action table."""

    @dataclass
    class Load(Message):
        """Load `model` with `settings`, and remember `changes` for it."""

        model: Model
        settings: LoadSettings
        changes: dict[str, Any]
        anyway: bool
        """Even where it does not fit: it was seen to fit here, or the person wants it all the same."""

    @dataclass
    class TrySpeed(Message):
        """How fast it would be is to be measured."""

    @dataclass
    class Details(Message):
        """All that is known of the price is to be read."""

    @dataclass
    class Closed(Message):
        """The panel is not wanted any more."""

    def __init__(self, model: Model, form: Form) -> None:
        super().__init__(id="load", classes="panel")
        self.model = model
        self.anyway_key, self.details_key = "L", "e"
        """Keys as they are shown."""
        self._first = form
        self._words, self._color = "", "faint"
        self._load_when_known = False
        self._most_answer = 0
        self._keys = ""
        self.border_title = Content(f"Load {clean(named(model.name, model.quant))}")

    def compose(self) -> ComposeResult:
        yield LoadFields(self._first)
        yield Answer()
        yield Static(Content(""), id="load-words")

    def on_mount(self) -> None:
        self._tell(self._first)
        self.watch(self.answer, "cut", self._mark_cut)

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

    # ---- what the settings come to

    def wait(self) -> None:
        """A price for what is on the panel now is being worked out."""
        self.answer.wait()
        self.fields.show_loaded(self.fields.loaded, stale=True)

    def show(self, price: Price | None, words: str = "") -> None:
        """The price of what is on the panel; without one, in `words`, why there is none."""
        self.answer.show(price, words)
        loaded: dict[str, Any] = {}
        if price is not None:
            told = price.prediction
            limits = self.fields.form.limits
            loaded = loaded_values(price.settings, told.n_ctx, told.n_gpu_layers, told.flash_attn, limits)
        self.fields.show_loaded(loaded)
        self._arrange()
        self._refresh_keys()
        if self._load_when_known:
            self.load_now()

    def know(self, limits: Limits) -> None:
        """More is known of the model and the machine than when the panel was opened."""
        self.fields.know(limits)
        self._arrange()

    def say(self, words: str) -> None:
        """What only loading, writing or measuring could find."""
        self._put(clean(words), "warning")

    # ---- what it asks for

    def load_now(self, *, anyway: bool = False) -> None:
        """Ask for the load, unless something is wrong; `anyway` even where it does not fit. While that is being worked
        out the load waits for it.
        """
        form, price, self._load_when_known = self.fields.form, self.answer.price, False
        if form.problem():
            return
        if anyway or (not self.answer.waiting and (price is None or price.assessment.verdict != "no")):
            decided = anyway or price is not None
            self.post_message(self.Load(self.model, form.settings(), form.changes(), anyway=decided))
        elif self.answer.waiting:
            self._load_when_known = True
            self.say(f"It is loaded as soon as it is known to fit; {self.anyway_key} does not wait for that.")
        else:
            choose = "Choose one of the changes by its letter, or other settings" if price and price.offered else ""
            self.say(f"It does not fit. {choose or 'Choose other settings'}; {self.anyway_key} loads it anyway.")

    def take_fix(self, letter: str) -> None:
        """Set what the fix with this letter says."""
        price, at = self.answer.price, LETTERS.find(letter.upper())
        if price is not None and self.offers(letter):
            settings = price.offered[at].settings
            assert settings is not None, "only such fixes are offered"
            self.fields.form = self.fields.form.taking_over(price.settings, settings)

    def offers(self, letter: str) -> bool:
        """True where a fix with this letter is offered for the settings on the panel."""
        price = self.answer.price
        return price is not None and not self.answer.waiting and LETTERS.find(letter.upper()) < len(price.offered)

    # ---- room

    def on_resize(self, _event: events.Resize) -> None:
        self._most_answer = 0
        self._arrange()

    def _arrange(self) -> None:
        """Share the lines among fields, answer and words. Where the panel is as high as it needs to be, it does not
        shrink with each step.
        """
        width, height = self.content_size.width - _INDENT, self.content_size.height
        if height <= 0:
            return
        self._most_answer = max(self._most_answer, self.answer.wanted_height(width))
        words = len(wrapped(self._words, max(1, width)))
        wanted = Room(len(self.fields.form.fields), self._most_answer, words)
        self.styles.height = wanted.sum + 2 if self._grows else None
        room = shared(wanted, height, urgent=self._color == "warning")
        self.fields.styles.height = room.fields
        self.answer.styles.height = room.answer
        self.query_one("#load-words").styles.height = room.words
        for part in (self.answer, self.query_one("#load-words", Static)):
            part.set_class(room.airy, "-airy")

    @property
    def _grows(self) -> bool:
        return self.screen.has_class("-high") or self.screen.has_class("-wide")

    def _mark_cut(self, cut: bool) -> None:
        self.border_subtitle = Content(f"{self.details_key} tells more" if cut else "")

    # ---- words

    def on_load_fields_changed(self, event: LoadFields.Changed) -> None:
        self._load_when_known = False
        self._tell(event.form)

    def _tell(self, form: Form) -> None:
        if problem := form.problem():
            self._put(problem, "warning")
            return
        written = "  ".join(
            f"{name} = {value!r}".replace("'", '"') for name, value in form.changes().items() if value is not None
        )
        kept = (
            f"models.toml, with the load: {written}"
            if written
            else "models.toml: nothing of its own, the defaults count"
        )
        self._put(kept, "faint")

    def _put(self, words: str, color: str) -> None:
        if (words, color) != (self._words, self._color):
            self._words, self._color = words, color
            self.query_one("#load-words", Static).update(Content(words).stylize(f"${color}"), layout=False)
            self._arrange()

    # ---- keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A change is offered by its letter; what fits need not be loaded anyway."""
        if action == "take_fix":
            return self.offers(str(parameters[0]))
        if action == "load_anyway":
            price = self.answer.price
            return self.answer.waiting or (price is not None and price.assessment.verdict == "no")
        return action != "load_details" or self.answer.price is not None

    def _refresh_keys(self) -> None:
        """The footer shows other keys where other changes are offered; drawing it takes a while."""
        price = self.answer.price
        keys = f"{price.assessment.verdict == 'no'} {len(price.offered)}" if price is not None else ""
        if keys != self._keys:
            self._keys = keys
            self.screen.refresh_bindings()

    def action_field_up(self) -> None:
        self.fields.form = self.fields.form.move(-1)

    def action_field_down(self) -> None:
        self.fields.form = self.fields.form.move(1)

    def action_less(self) -> None:
        self._step(-1)

    def action_more(self) -> None:
        self._step(1)

    def action_much_less(self) -> None:
        self._step(-1, page=True)

    def action_much_more(self) -> None:
        self._step(1, page=True)

    def _step(self, direction: int, *, page: bool = False) -> None:
        self.fields.form = self.fields.form.step(direction, page, self.fields.loaded)

    def action_auto(self) -> None:
        self.fields.form = self.fields.form.automatic()

    def action_rub_out(self) -> None:
        self.fields.form = self.fields.form.rub_out()

    def action_load_now(self) -> None:
        self.load_now()

    def action_load_anyway(self) -> None:
        self.load_now(anyway=True)

    def action_take_fix(self, letter: str) -> None:
        self.take_fix(letter)

    def action_try_speed(self) -> None:
        self.post_message(self.TrySpeed())

    def action_load_details(self) -> None:
        self.post_message(self.Details())

    def action_close_load(self) -> None:
        self.post_message(self.Closed())
