"""`puna pull`: fetches a model from the Hugging Face Hub, and goes on where an earlier pull stopped."""

from __future__ import annotations

import argparse
import os
import queue
import signal
from dataclasses import dataclass, field

from tui.cli.loading import Interrupted, interruptible
from tui.cli.main import DONE, FAILED, CommandError, say
from tui.cli.output import show, write_json
from tui.cli.pull_bar import Voice, voice_for
from tui.config.errors import ConfigError
from tui.config.paths import Paths, paths
from tui.config.settings import Settings, load_config
from tui.config.sizes import size
from tui.hub.client import Hub, connect
from tui.hub.downloads.control import Downloads
from tui.hub.downloads.values import Event, Item
from tui.hub.errors import HubError
from tui.library import scan
from tui.library.model import Model
from tui.models.pulling import Order, here_already, keep_in_library, order
from tui.models.resolve import ModelNotFound

_LOOK_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL", help="org/repo, org/repo:QUANT or an address on the Hub")
    parser.add_argument("--projector", action="store_true", help="also what lets the model see or hear")
    parser.add_argument("--json", action="store_true", help="print what happens as JSON, an event a line")


def run(args: argparse.Namespace) -> int:
    """Fetch it; done when it is whole and checked, or was here before."""
    here = paths()
    config = load_config(here)
    for problem in config.problems:
        say(f"puna: {problem}")
    try:
        return _pull(args, here, config.settings)
    except (ModelNotFound, HubError, ConfigError, CommandError) as error:
        if args.json:
            write_json(Event(item="", event="failed", file=args.model, done_bytes=0, message=str(error)).to_json())
        raise CommandError(str(error)) from error


def _pull(args: argparse.Namespace, here: Paths, settings: Settings) -> int:
    known = here_already(args.model, scan(here, settings.library.folders))
    if known is not None and not args.projector:
        _tell_known(known, as_json=args.json)
        return DONE
    hub = connect()
    found = order(hub, args.model, settings.downloads)
    if found.reason:
        say(f"puna: {found.item.name}: {found.reason}")
    return _Pull(args, here, settings, hub, _items(found, args)).run()


def _items(found: Order, args: argparse.Namespace) -> list[Item]:
    if not args.projector:
        if found.projectors:
            offered = size(found.projectors[0].total_bytes)
            say(f"puna: it can see or hear with a projector ({offered}) beside it: --projector fetches that, too")
        return [found.item]
    if not found.projectors:
        raise ModelNotFound(f"{found.item.repo} has no projector; leave --projector out")
    return [found.item, found.projectors[0]]


def _tell_known(model: Model, *, as_json: bool) -> None:
    say(f"puna: {model.name} is here already")
    path = str(model.path)
    if not as_json:
        show(path)
        return
    total = model.file_bytes
    write_json(
        Event(item="", event="done", file=model.file, done_bytes=total, total_bytes=total, message=path).to_json()
    )


@dataclass(slots=True)
class _Pull:
    """One run: some items, until each has ended."""

    args: argparse.Namespace
    paths: Paths
    settings: Settings
    hub: Hub
    items: list[Item]
    _ended: dict[str, Event] = field(default_factory=dict)

    def run(self) -> int:
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        wanted = frozenset(item.id for item in self.items)
        downloads = Downloads(self.hub, self.paths, self.settings.downloads, events.put, only=wanted)
        for item in self.items:
            downloads.add(item)
        voice = voice_for({item.id: item.name for item in self.items}, as_json=self.args.json)
        try:
            with interruptible():
                downloads.start()
                self._listen(downloads, events, voice)
        except Interrupted as stopped:
            voice.clear()
            self._keep(downloads, stopped.code)
            return stopped.code
        finally:
            voice.clear()
            downloads.close()
        return self._result()

    def _listen(self, downloads: Downloads, events: queue.SimpleQueue[Event], voice: Voice) -> None:
        """Tell every event until all items have ended."""
        while len(self._ended) < len(self.items):
            try:
                event = events.get(timeout=_LOOK_S)
            except queue.Empty:
                self._look(downloads)
                continue
            voice.tell(event)
            if event.event in ("done", "failed"):
                self._ended[event.item] = event

    def _look(self, downloads: Downloads) -> None:
        """What another puna did to our items comes as no event. Raises CommandError."""
        if downloads.problem:
            raise CommandError(downloads.problem)
        states = {entry.item.id: entry.state for entry in downloads.entries()}
        for item in self.items:
            if item.id in self._ended:
                continue
            if item.id not in states:
                raise CommandError(f"{item.name} was cancelled by another puna")
            if states[item.id] == "paused":
                raise CommandError(f"{item.name} was paused by another puna; `{self._again()}` goes on")

    def _keep(self, downloads: Downloads, code: int) -> None:
        """Say what is there. After Ctrl-C no puna goes on by itself; after other signals the next one does."""
        open_ids = {item.id for item in self.items} - self._ended.keys()
        for entry in downloads.entries():
            if entry.item.id not in open_ids:
                continue
            if entry.owner not in (None, os.getpid()):
                say(f"puna: {entry.item.name} is fetched by another puna (process {entry.owner}), which goes on")
                continue
            if code == 128 + signal.SIGINT:
                downloads.pause(entry.item.id)
            done = f"{size(entry.done_bytes)} of {size(entry.item.total_bytes)}"
            say(f"puna: {entry.item.name} is stopped with {done} kept; `{self._again()}` goes on from there")

    def _again(self) -> str:
        return f"puna pull {self.args.model}" + (" --projector" if self.args.projector else "")

    def _result(self) -> int:
        code = DONE
        for item in self.items:
            event = self._ended[item.id]
            if event.event == "failed":
                say(f"puna: {item.name}: {event.message}")
                code = FAILED
                continue
            problem = keep_in_library(self.paths, item)
            if problem:
                say(f"puna: {problem}")
            if not self.args.json:
                show(event.message or "")
        return code
