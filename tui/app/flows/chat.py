"""From a typed prompt to a stored answer: which model answers, the turn, and the conversations one can go back to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.app.text import clean, plural

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from tui.app.app import PunaApp
    from tui.app.background import HistoryOpened
    from tui.app.talk import Talk
    from tui.chat.thread import AsyncStore
    from tui.chat.turn import TurnOptions
    from tui.llama.settings import SamplingSettings

STOP_S = 1.5
"""How long a running answer may take to end when the program does."""


class ChatFlow:
    """Holds the conversation. What is typed before history and settings are read waits for them."""

    def __init__(self, app: PunaApp, conversation_id: int | None) -> None:
        self._app = app
        self._wanted_id = conversation_id
        self._waiting = ""
        self._system = ""
        self._store: AsyncStore | None = None
        self.talk: Talk | None = None

    @property
    def busy(self) -> bool:
        """True while a turn runs."""
        return self.talk is not None and self.talk.busy

    @property
    def kept_tokens(self) -> int:
        """Tokens of the answer that an engine was writing when it stopped."""
        return self.talk.answer_tokens if self.talk is not None and self.talk.busy else 0

    async def opened(self, event: HistoryOpened) -> None:
        """The history is there: conversations can be shown and begun."""
        from tui.app.talk import Talk

        app = self._app
        self._store = event.store
        self.talk = Talk(event.store, app.bench.chat, app.ticker, app.tell, system=self._system)
        if event.problem:
            app.tell(event.problem, "error")
        report = event.store.report
        if report.set_aside is not None:
            app.tell(f"The history was damaged. It was kept as {report.set_aside}, and a new one begun.", "error")
        if report.recovered:
            kept = plural(len(report.recovered), "unfinished answer")
            app.tell(f"{kept} of last time {'is' if len(report.recovered) == 1 else 'are'} kept: see the history (h).")
        if self._wanted_id is not None:
            await self.open(self._wanted_id)
        self.go_on()

    def go_on(self) -> None:
        """Send what has waited, now that more of what it needs is there."""
        if self._waiting and self.talk is not None and self._app.settings is not None:
            text, self._waiting = self._waiting, ""
            self.submit(text)

    def submit(self, text: str) -> None:
        """Have a prompt answered; a model is loaded for it when none is."""
        app = self._app
        if not text.strip():
            return
        if self.busy:
            app.tell("An answer is being written; esc stops it.", "warning")
            return
        if self.talk is None or app.settings is None:
            self._waiting = text
            app.bench.chat.editor.clear()
            return
        if not self._have_model():
            return
        app.bench.chat.editor.clear()
        app.bench.view = "chat"
        engine = app.loading.engines.expected()
        self._run(self.talk.send(text, engine, self._sampling(), self._options()), "answer a prompt", text)

    def again(self) -> None:
        """Have the last question answered once more."""
        if self.talk is not None and self.talk.can_answer_again and self._have_model():
            engine = self._app.loading.engines.expected()
            self._run(self.talk.again(engine, self._sampling(), self._options()), "answer again", "")

    def set_system(self, system: str) -> None:
        """System prompt of new conversations."""
        self._system = system
        if self.talk is not None:
            self.talk.system = system

    def stop(self) -> None:
        """End the running answer; what there is stays."""
        if self.talk is not None:
            self.talk.stop()

    def new(self) -> None:
        """Begin an empty conversation."""
        if self.talk is not None and not self.busy:
            self.talk.new()
            self._app.show_hint()
            self._app.bench.go("chat")

    def context_changed(self, n_ctx: int) -> None:
        """Another model is in memory, or none."""
        if self.talk is not None:
            self.talk.set_context(n_ctx)

    async def choose(self) -> None:
        """Let the person choose one of the conversations."""
        from tui.app.screens.choose import ChooseScreen, Option
        from tui.app.when import ago

        if self._store is None or self.busy:
            return
        found = await self._store.call(lambda store: store.conversations(1000))
        options = [
            Option(one.id, one.title or "(no title)", clean(one.model), ago(one.updated)) for one in found if one.message_count
        ]

        async def chosen(conversation_id: int | None) -> None:
            if conversation_id is not None:
                await self.open(conversation_id)
                self._app.bench.go("chat")

        screen = ChooseScreen("Conversations", options, self._app.keymap, empty="There are no conversations yet.")
        await self._app.push_screen(screen, chosen)

    async def open(self, conversation_id: int) -> None:
        """Show a stored conversation."""
        from tui.chat.errors import StoreError

        if self.talk is None or self.busy:
            return
        try:
            await self.talk.open(conversation_id)
        except StoreError as error:
            self._app.tell(str(error), "error")
        else:
            self._app.bench.view = "chat"
        self._app.screen.refresh_bindings()

    async def close(self) -> None:
        """End the running answer, store it, and close the history. Raises StoreError when something could not be stored."""
        if self.talk is not None and self.talk.busy:
            self.talk.stop()
            workers = [worker for worker in self._app.workers if worker.group == "answer" and not worker.is_finished]
            waits = [asyncio.ensure_future(worker.wait()) for worker in workers]
            if waits:
                await asyncio.wait(waits, timeout=STOP_S)
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
        if self._store is not None:
            store, self._store = self._store, None
            await store.close()

    # ---- inside

    def _have_model(self) -> bool:
        """True when a model is loaded or on its way; the selected one is loaded when not."""
        app = self._app
        if app.loading.ready or app.loading.loading:
            return True
        model = app.bench.library.selected
        if model is None or model.problem:
            words = f"{clean(model.name)} cannot be loaded: {clean(model.problem or '')}" if model else "there is no model yet"
            app.tell(f"Nothing can answer: {words}. The library says what to do.", "warning")
            app.bench.view = "library"
            return False
        app.loading.load(model)
        return True

    def _run(self, turn: Coroutine[Any, Any, None], description: str, text: str) -> None:
        self._app.run_worker(
            self._guarded(turn, text), group="answer", description=description, exclusive=True, exit_on_error=False
        )
        self._app.screen.refresh_bindings()

    async def _guarded(self, turn: Coroutine[Any, Any, None], text: str) -> None:
        """One turn. What the engine could not do is told here; text that could not be stored goes back to the prompt."""
        from tui.chat.errors import ChatError
        from tui.engine.errors import EngineError

        app = self._app
        try:
            await turn
        except EngineError as error:
            if error.kind not in ("died", "cancelled", "load", "settings"):  # those are told where they happen
                app.post_message(app.Told(f"{error}. {error.hint}", "warning"))
        except ChatError as error:
            app.post_message(app.Told(str(error), "error", give_back=text))
        finally:
            app.post_message(app.TurnOver())

    def _sampling(self) -> SamplingSettings:
        from tui.llama.settings import SettingsError
        from tui.models.plan import sampling

        settings = self._app.settings
        assert settings is not None
        try:
            return sampling({}, settings.chat.sampling())
        except SettingsError as error:
            self._app.tell(f"config.toml: chat.{error}; the default counts.", "warning")
            return sampling({}, {})

    def _options(self) -> TurnOptions:
        from tui.chat.turn import TurnOptions

        settings = self._app.settings
        return TurnOptions(max_tokens=(settings.chat.max_tokens or None) if settings else None)
