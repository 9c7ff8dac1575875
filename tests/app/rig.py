"""The workbench as tests start it: its own home, models by hand, and engines that answer by a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from tests.chat.scripted import Gate, ScriptedGeneration, Step
from tests.rigs.screen import screen_lines
from tui.app.app import Opening, PunaApp
from tui.app.panels.chat.state import Status
from tui.app.themes import ThemeBook
from tui.config.paths import Paths, paths, share
from tui.engine.errors import EngineDied, EngineError
from tui.engine.protocol import ChatMessage, DoneReason
from tui.hardware.history import RAM
from tui.hardware.meter.gauges import Gauge
from tui.library import Model
from tui.llama.receipt import DeviceBytes, Receipt
from tui.llama.settings import LoadSettings, SamplingSettings

GIB = 1 << 30
METER = (Gauge("RAM", 64 * GIB, 20 * GIB, 0, 44 * GIB, key=RAM),)


def a_model(
    name: str,
    quant: str | None = "Q4_K_M",
    gib: float = 2,
    *,
    repo: str | None = None,
    problem: str | None = None,
    shards: int = 1,
    n_layer: int = 30,
    n_ctx_train: int = 8192,
) -> Model:
    """A row of the library."""
    return Model(
        name=name, path=Path(f"/models/{name}.gguf"), repo=repo, file=f"{name}.gguf", quant=quant, architecture="llama",
        file_bytes=round(gib * GIB), shards=shards, source="hf-cache" if repo else "folder", problem=problem,
        n_layer=n_layer, n_ctx_train=n_ctx_train,
    )  # fmt: skip


LLAMA = a_model("tiny-llama")
QWEN = a_model("qwen-coder", "Q8_0", 7, repo="org/qwen", shards=2, n_layer=48, n_ctx_train=32768)
BROKEN = a_model("half-a-file", None, 0.1, problem="ends too early; get it again")


def receipt_of(settings: LoadSettings) -> Receipt:
    """A receipt for what was asked."""
    n_ctx = settings.n_ctx if isinstance(settings.n_ctx, int) else 4096
    return Receipt(
        host=DeviceBytes(name="host", weights_bytes=GIB, context_bytes=GIB // 2),
        projector=Path(settings.projector or "").name,
        n_ctx=n_ctx,
        n_ctx_train=8192,
        n_layer=30,
        n_gpu_layers=0,
        n_vocab=1000,
        n_params=1000,
        n_swa=0,
        recurrent=False,
        threads=1,
        load_s=0.1,
        template="model",
        architecture="llama",
        description="a scripted llama",
    )


KILLED = EngineDied("writing the answer", -9, "something killed it (SIGKILL)", ("a last line",))
"""What an engine raises that was killed."""


class Scripted:
    """An engine that answers by scripts, at the place of a real one."""

    def __init__(self, world: World, name: str, settings: LoadSettings) -> None:
        self.world, self.name, self.settings = world, name, settings
        self.receipt = receipt_of(settings)
        self.died: EngineDied | None = None
        self.closed = False
        self.thinking_switch = False
        self.asked: list[tuple[ChatMessage, ...]] = []
        self.went_on_from: list[str] = []
        self.thought: list[bool | None] = []
        self.panes: list[int] = []
        self.drawn: list[SamplingSettings] = []
        self._callbacks: list[Callable[[EngineDied], None]] = []

    @property
    def pid(self) -> int:
        return self.world.pid

    @property
    def alive(self) -> bool:
        return self.died is None and not self.closed

    def on_death(self, callback: Callable[[EngineDied], None]) -> None:
        self._callbacks.append(callback)

    def generate(
        self,
        *,
        messages: tuple[ChatMessage, ...] | None = None,
        sampling: SamplingSettings,
        max_tokens: int | None = None,
        stop: tuple[str, ...] = (),
        pane: int = 0,
        answer: str = "",
        thinking: str = "",
        think: bool | None = None,
    ) -> ScriptedGeneration:
        assert messages is not None
        self.asked.append(messages)
        self.went_on_from.append(answer)
        self.thought.append(think)
        self.panes.append(pane)
        self.drawn.append(sampling)
        return ScriptedGeneration(self.world.scripts.pop(0), self.world.reason)

    async def count_tokens(self, *, messages: Sequence[ChatMessage] | None = None, text: str | None = None) -> int:
        """A word is a token, and an image is 64."""
        images = sum(len(message.images) for message in messages or ())
        return 64 * images + len(" ".join([text or "", *(message.content for message in messages or ())]).split())

    async def save_state(self, folder: Path, name: str, *, pane: int = 0) -> int:
        self.world.log.append(f"{self.name} saved {name}")
        self.world.saved.add((self.name, name))
        return 1

    async def restore_state(self, folder: Path, name: str, *, pane: int = 0) -> int:
        self.world.log.append(f"{self.name} restored {name}")
        return 200 if (self.name, name) in self.world.saved else 0

    async def close(self) -> None:
        if not self.closed:
            self.world.log.append(f"{self.name} closing")
            self.closed = True
            await self.world.end_gate.wait()
            self.world.log.append(f"{self.name} closed")

    def die(self, how: EngineDied = KILLED) -> None:
        """End as a killed process does. An answer that is being written raises KILLED if its script says so."""
        self.died = how
        for callback in self._callbacks:
            callback(how)


class World:
    """What the engines of one test do, and which were started."""

    pid = 0
    """Of every engine."""

    def __init__(self, *scripts: Sequence[Step], reason: DoneReason = "eog") -> None:
        self.scripts = [list(script) for script in scripts]
        self.reason: DoneReason = reason
        self.engines: list[Scripted] = []
        self.saved: set[tuple[str, str]] = set()
        """Models and names of the states that were kept."""
        self.load_gate: asyncio.Event | None = None
        """Loads wait here when it is there."""
        self.load_error: EngineError | None = None
        self.end_gate = asyncio.Event()
        """Engines that are to end, and loads that are to stop, wait here until it is set; it is."""
        self.end_gate.set()
        self.log: list[str] = []
        """What happened to which model: loading, loaded, stopping, stopped, closing, closed."""

    @property
    def engine(self) -> Scripted:
        """The newest engine."""
        return self.engines[-1]

    async def start(
        self, path: Path, settings: LoadSettings, name: str, on_progress: Callable[[float], None]
    ) -> Scripted:
        self.log.append(f"{name} loading")
        on_progress(0.5)
        try:
            if self.load_gate is not None:
                await self.load_gate.wait()
        except asyncio.CancelledError:
            self.log.append(f"{name} stopping")
            await self.end_gate.wait()
            self.log.append(f"{name} stopped")
            raise
        if self.load_error is not None:
            raise self.load_error
        self.engines.append(Scripted(self, name, settings))
        self.log.append(f"{name} loaded")
        return self.engine


class Bench:
    """One running app with what a test wants of it."""

    def __init__(self, app: PunaApp, pilot: Pilot[int], world: World) -> None:
        self.app, self.pilot, self.world = app, pilot, world

    async def until(self, test: Callable[[], object], limit_s: float = 20.0) -> None:
        """Let the app work until `test()` is true."""
        loop = asyncio.get_running_loop()
        end = loop.time() + limit_s
        while not test():
            assert self.app._exception is None, f"the app failed: {self.app._exception!r}"
            assert loop.time() < end, f"never came true; the screen was:\n{self.text()}"
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def shows(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""

        def all_there() -> bool:
            screen = self.text()
            return all(text in screen for text in texts)

        await self.until(all_there)

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def write(self, text: str) -> None:
        """Put text into the prompt and send it."""
        self.app.bench.chat.editor.text = text
        self.app.bench.chat.editor.focus()
        await self.press("enter")

    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(screen_lines(self.app))

    def status(self) -> Status:
        """What the status line stands for."""
        return self.app.bench.chat.status

    @property
    def notices(self) -> list[str]:
        """What has been told so far and is still shown."""
        return [notice.message for notice in self.app._notifications]


@asynccontextmanager
async def workbench(
    home: Path,
    world: World | None = None,
    *,
    models: Sequence[Model] = (LLAMA, QWEN, BROKEN),
    size: tuple[int, int] = (120, 40),
    opening: Opening = Opening(),  # noqa: B008 - immutable
    settle: bool = True,
    watch: bool = False,
    toasts: bool = False,
) -> AsyncIterator[Bench]:
    """The app with these models. Nothing is scanned, and nothing measured without `watch`, and notices are drawn only
    with `toasts`."""
    world = world or World()
    where = home_paths(home)
    app = PunaApp(
        where, ThemeBook(share("themes"), where.user_themes_dir), opening, models=models, meter=METER,
        start=world.start, watch=watch, scan=False,
    )  # fmt: skip
    async with app.run_test(size=size, notifications=toasts) as pilot:
        bench = Bench(app, pilot, world)
        if settle:
            await bench.until(lambda: app.settled and app.desk.settings is not None and app.desk.chatting.talk)
        try:
            yield bench
        finally:
            for gate in (step for script in world.scripts for step in script if isinstance(step, Gate)):
                gate.set()
            world.end_gate.set()
            await app.leave(0)
            await app.desk.fit.close()
            await app.desk.loading.close()


def home_paths(home: Path) -> Paths:
    """The folders of a puna that lives in `home`."""
    return paths({"PUNA_HOME": str(home)})


def write_config(home: Path, text: str) -> None:
    """The person's config.toml."""
    folder = home_paths(home).config
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text, encoding="utf-8")
