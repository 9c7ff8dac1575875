"""How a second pane comes about: which model answers there, and what that takes, said before anything is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from textual.message import Message

from tui.app.flows.quotes import shortage_bytes
from tui.app.text import clean, named, size, thousands

if TYPE_CHECKING:
    from tui.app.desk import Desk
    from tui.library import Model
    from tui.llama.settings import LoadSettings
    from tui.models.fitting import Priced

UNKNOWN = "What it takes cannot be told beforehand."


@dataclass
class SplitPriced(Message):
    """What a second pane would take is known, as far as it can be."""

    model: Model
    lines: tuple[str, ...]


class SplitFlow:
    """Asks, prices, asks again, and has the pane opened."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # ---- a second pane

    def choose(self) -> None:
        """Let the person choose what answers in the second pane."""
        from tui.app.screens.choose import ChooseScreen, Option

        desk = self._desk
        first = desk.panes.chosen.model or desk.bench.library.selected
        models = [model for model in desk.bench.library.models if not model.problem]
        models.sort(key=lambda model: first is None or model.identity != first.identity)
        same = first.identity if first is not None else ""
        options = [
            Option(
                model,
                named(model.name, model.quant),
                "once more: another draw, or other settings" if model.identity == same else "",
                size(model.file_bytes),
            )
            for model in models
        ]

        def chosen(model: Model | None) -> None:
            if model is not None:
                self.price(model)

        screen = ChooseScreen("What answers in the second pane?", options, desk.keymap, empty="There is no model yet.")
        desk.app.push_screen(screen, chosen)

    def price(self, model: Model) -> None:
        """Find out what a second pane with this model takes."""

        async def work() -> None:
            self._desk.app.post_message(SplitPriced(model, await self._lines(model)))

        self._desk.app.run_worker(
            work(), group="split", description=f"work out what {model.name} would take", exclusive=True,
            exit_on_error=False,
        )  # fmt: skip

    def on_split_priced(self, event: SplitPriced) -> None:
        """Tell it, and open the pane if the person likes."""
        from tui.app.screens.confirm import ConfirmScreen

        desk = self._desk

        async def answered(yes: bool | None) -> None:
            if yes:
                await desk.panes.open(event.model)

        title = f"A second pane: {clean(event.model.name)}"
        enter, leave = (desk.keymap.shown(name, desk.app.glyphs.ascii) for name in ("choose", "close"))
        words = f"{enter} opens it   {leave} does not"
        desk.app.push_screen(ConfirmScreen(title, event.lines, words, desk.keymap), answered)

    # ---- what it takes

    async def _lines(self, model: Model) -> tuple[str, ...]:
        first = self._desk.panes.chosen
        meant = first.model or self._desk.bench.library.selected
        if meant is not None and meant.identity == model.identity:
            return await self._same(model, first.wished)
        return await self._beside(model)

    async def _same(self, model: Model, wished: LoadSettings | None) -> tuple[str, ...]:
        """One engine for both: it is loaded again, with room for two conversations."""
        pricing, engine = self._desk.fit.pricing, self._desk.panes.chosen.engine
        leaving = engine.pid if engine is not None else None
        one = await pricing.quote(model, wished, leaving)
        lines = ["Both panes are computed together, by one engine."]
        if one is None:
            return (*lines, UNKNOWN)
        two = await pricing.quote(model, wished, leaving, panes=2)
        if two is None:
            return (*lines, UNKNOWN)
        lines.append(_figures(two) + f", {_difference(one, two)}.")
        if shortage_bytes(two):
            lines.append(f"It does not fit: {size(shortage_bytes(two))} are missing. A smaller n_ctx would help.")
        elif engine is not None and two.settings.n_ctx != engine.receipt.n_ctx:
            lines.append(f"n_ctx is {thousands(engine.receipt.n_ctx)} now.")
        if engine is not None:
            lines.append(
                "The model is loaded again for it; the conversation stays as it is, and goes on in both panes."
            )
        return tuple(lines)

    async def _beside(self, model: Model) -> tuple[str, ...]:
        """An engine of its own, beside the first or in turn with it."""
        pricing, first = self._desk.fit.pricing, self._desk.panes.chosen
        beside = await pricing.quote(model, None, None)
        if beside is None:
            return (UNKNOWN,)
        if not shortage_bytes(beside):
            fits = f"It fits beside {clean(first.label)}: both answer at once." if first.ready else "It fits."
            return f"{_figures(beside)}.", fits
        missing = f"It does not fit{f' beside {clean(first.label)}' if first.ready else ''}: "
        missing += f"{size(shortage_bytes(beside))} are missing."
        alone = await pricing.quote(model, None, first.engine.pid) if first.engine is not None else None
        if alone is None or shortage_bytes(alone):
            return (f"{_figures(beside)}.", missing)
        return (
            f"{_figures(alone)}.",
            missing,
            "They answer one after the other, and each is loaded when its turn comes.",
        )

    # ---- how answers are drawn in a pane

    def ask_sampling(self) -> None:
        """Let the person write what differs in the chosen pane."""
        from tui.app.screens.write import WriteScreen

        desk, pane = self._desk, self._desk.panes.chosen
        before = ", ".join(f"{name} {value}" for name, value in pane.sampling.items())

        def written(text: str | None) -> None:
            if text is not None:
                self._set_sampling(text)

        title = f"How answers are drawn in the {desk.panes.side(pane)} pane"
        screen = WriteScreen(title, before, desk.keymap, placeholder="seed 7, temperature 0.2")
        desk.app.push_screen(screen, written)

    def _set_sampling(self, text: str) -> None:
        from tui.llama.settings import SettingsError
        from tui.models.wishes import sampling

        desk, pane = self._desk, self._desk.panes.chosen
        wished: dict[str, float | int] = {}
        try:
            for part in filter(None, (part.strip() for part in text.split(","))):
                name, _, value = part.replace("=", " ").partition(" ")
                wished[name] = _number(name, value.strip())
            known = {field.name for field in msgspec.structs.fields(type(sampling({}, {})))}
            for name in wished.keys() - known:
                raise SettingsError(name, f"there is no such setting; there are {', '.join(sorted(known))}")
            sampling(wished, {})
        except SettingsError as error:
            desk.tell(f"{error}.", "warning")
            return
        pane.sampling = wished
        pane.view.set_model(desk.panes.title(pane, loaded=pane.ready))


def _number(name: str, text: str) -> float | int:
    from tui.llama.settings import SettingsError

    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        raise SettingsError(name, f"{text!r} is not a number; write it like: seed 7, temperature 0.2") from None


def _figures(priced: Priced) -> str:
    settings, need = priced.settings, size(priced.assessment.need_bytes)
    room = "" if settings.n_ctx == "auto" else f" with n_ctx {thousands(settings.n_ctx)}"
    return f"It takes {need}{room}{' for each pane' if room and settings.panes > 1 else ''}"


def _difference(one: Priced, two: Priced) -> str:
    more = two.assessment.need_bytes - one.assessment.need_bytes
    return f"{size(abs(more))} {'more' if more >= 0 else 'less'} than one pane"
