"""What `run`, `bench` and `fit` share: find the model, plan its settings, start an engine, and tell in words what goes
wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, TypeVar

from tui.cli.main import CommandError, say
from tui.config.folders import absolute
from tui.config.model_file import read_models
from tui.config.paths import Paths, paths
from tui.config.plain import one_line
from tui.config.settings import Settings, load_config
from tui.config.sizes import doubt, parse_tokens
from tui.engine.client import Engine, EngineError
from tui.engine.protocol import Timings
from tui.fit.measured import Kind
from tui.fit.values import DeviceSpec
from tui.library import Model, scan
from tui.llama.settings import NO_PROJECTOR, LoadSettings, SettingsError
from tui.models import afterwards
from tui.models.fitting import Fitting
from tui.models.prepare import Prepared, look, prepare, wished_for
from tui.models.resolve import ModelNotFound, resolve
from tui.models.subject import Subject

T = TypeVar("T")
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model that is here, and how it was asked to be loaded, "auto" still in it."""

    model: Model
    wished: LoadSettings
    settings: Settings
    paths: Paths


@dataclass(slots=True)
class Started:
    """An engine, and the plan that it was started by."""

    engine: Engine
    prepared: Prepared
    chosen: Chosen
    noting: asyncio.Task[None] | None = None
    """Sets what the load took beside its prediction, while the answer is under way."""

    async def close(self) -> None:
        """End the engine; what it took is noted before."""
        try:
            if self.noting is not None:
                await asyncio.wait((self.noting,))
        finally:
            await self.engine.close()


def add_load_arguments(parser: argparse.ArgumentParser) -> None:
    """MODEL and the flags that override what is kept for it."""
    parser.add_argument(
        "model", metavar="MODEL", help="a path, a name that `puna ls` shows, org/repo or org/repo:QUANT"
    )
    parser.add_argument("--n-ctx", type=tokens_or_auto, metavar="N", help="context in tokens (8k is 8192), or auto")
    parser.add_argument(
        "--n-gpu-layers", type=number_or("auto", "all"), metavar="N", help="layers kept on GPUs: a number, all or auto"
    )


def chosen(args: argparse.Namespace) -> Chosen:
    """The model and settings that the arguments mean. Raises CommandError in words."""
    here, settings = configured()
    mmproj = getattr(args, "mmproj", None)
    if mmproj not in (None, "auto", NO_PROJECTOR):
        mmproj = str(absolute(mmproj))
    flags = {"n_ctx": args.n_ctx, "n_gpu_layers": args.n_gpu_layers, "mmproj": mmproj}
    try:
        model = sound(resolve(args.model, scan(here, settings.library.folders)))
    except ModelNotFound as error:
        raise CommandError(str(error)) from error
    return Chosen(model, asked_for(here, model, settings, flags), settings, here)


def configured() -> tuple[Paths, Settings]:
    """Where things are, and the person's settings; what is wrong in their files is said."""
    here = paths()
    config = load_config(here)
    for problem in (*config.problems, *read_models(here)[1]):
        say(f"puna: {problem}")
    return here, config.settings


def asked_for(
    here: Paths, model: Model | Subject, settings: Settings, flags: Mapping[str, Any], *, elsewhere: bool = False
) -> LoadSettings:
    """`tui.models.prepare.wished_for`; a value that cannot be is a CommandError, which names the file that it is in."""
    try:
        return wished_for(here, model, settings, flags, elsewhere=elsewhere)
    except SettingsError as error:
        kept = read_models(here)[0].get(model.identity, {})
        where = f" (in {here.models_file if error.setting in kept else here.config_file})"
        raise CommandError(str(error) + (where if flags.get(error.setting) is None else "")) from error


def sound(model: Model) -> Model:
    """A model, if it can be loaded. Raises CommandError in words."""
    if model.problem:
        raise CommandError(f"{model.name}: {model.problem}")
    return model


async def start(asked: Chosen) -> Started:
    """Plan the load for this machine as it is now and start the engine; on a terminal its progress is shown.

    What the plan has less of than was asked for is said. Raises EngineError.
    """
    fitting = Fitting(asked.paths)
    try:
        prepared = await prepare(fitting, asked.paths, asked.model, asked.wished, asked.settings, light=True)
    finally:
        await fitting.close()
    for sentence in prepared.said:
        say(f"puna: {sentence}")
    if prepared.assessment is not None and prepared.assessment.verdict == "no":
        say("puna: It is loaded all the same, as it was asked for.")
    show = _show_progress if sys.stderr.isatty() else None
    try:
        engine = await Engine.start(
            asked.model.path,
            prepared.settings,
            name=asked.model.name,
            on_progress=show,
            nice=asked.settings.engine.nice,
            engines_dir=asked.paths.engines_dir,
        )
    finally:
        if show is not None:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    started = Started(engine, prepared, asked)
    if prepared.prediction is not None and prepared.prediction.source == "dry-run":
        started.noting = asyncio.create_task(asyncio.to_thread(_note_load, started), name="note what the load took")
    return started


def _note_load(started: Started) -> None:
    here, engine = started.chosen.paths, started.engine
    afterwards.note_load(here, started.prepared, engine.receipt, engine.pid, look(here))


async def note_speed(started: Started, timings: Timings, kind: Kind) -> None:
    """Remember how fast an answer was, for the next estimate."""
    await asyncio.to_thread(afterwards.note_speed, started.chosen.paths, started.prepared, timings, kind)


def explain(error: EngineError) -> str:
    """An engine's failure as one line for a person."""
    text = f"{error.message}; {error.hint}" if error.hint else error.message
    cause = next((line for line in reversed(error.log) if "error" in line.lower()), "")
    return one_line(f"{text} (llama.cpp: {cause})" if error.kind == "died" and cause else text)


def say_doubts(devices: Sequence[DeviceSpec] | None, ram_bytes: int | None) -> None:
    """Warn of memory of a described machine that nobody can mean."""
    sizes = [(device.name, device.total_bytes) for device in devices or ()]
    for sentence in (doubt(*each) for each in [*sizes, *([("the host", ram_bytes)] if ram_bytes is not None else [])]):
        if sentence:
            say(f"puna: warning: {sentence}")


class Interrupted(BaseException):
    """A signal came outside the event loop. `code` is the exit code that it means."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGINT, SIGTERM and SIGHUP raise Interrupted where no event loop hears them: while a prompt is read, or a
    load is planned."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run_until_signal(work: Callable[[], Coroutine[Any, Any, int]]) -> int:
    """Run `work`; SIGINT, SIGTERM and SIGHUP cancel it, so that it can end its engine and say what it has.

    Returns its exit code, or 128 + the signal's number.
    """
    caught: list[int] = []

    async def guarded() -> int:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work())

        def stop(number: int) -> None:
            caught.append(number)
            task.cancel()

        for number in _ENDING:
            loop.add_signal_handler(number, stop, number)
        try:
            return await task
        except asyncio.CancelledError:
            return 0

    code = asyncio.run(guarded())
    return 128 + caught[0] if caught else code


def _show_progress(fraction: float) -> None:
    print(f"\rloading {fraction:4.0%}", end="", file=sys.stderr, flush=True)


def number_or(*words: str) -> Callable[[str], int | str]:
    """A parser of a number, or of one of these words, for argparse."""

    def parse(text: str) -> int | str:
        if text in words:
            return text
        return int(text)

    parse.__name__ = f"number or {' or '.join(words)}"  # argparse names the type in its message
    return parse


def tokens_or_auto(text: str) -> int | str:
    """A context in tokens, or auto, for argparse."""
    try:
        return text if text == "auto" else parse_tokens(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; auto chooses for you") from error
