"""Messages reach whoever has a method for them: Textual's names are the only thing that joins the two."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

import tui.app
from tests.app.rig import workbench

Kind = TypeVar("Kind")


def below(kind: type[Kind]) -> Iterator[type[Kind]]:
    """All classes that are derived from one."""
    for one in kind.__subclasses__():
        yield one
        yield from below(one)


def import_all() -> None:
    """All of the front end, so that every class of it is there."""
    for module in pkgutil.walk_packages(tui.app.__path__, "tui.app."):
        importlib.import_module(module.name)


async def test_what_workers_post_is_heard_and_nobody_listens_for_one_that_there_is_not(tmp_path: Path) -> None:
    import_all()
    async with workbench(tmp_path) as bench:
        parts = bench.app.desk._parts
        heard = {name for part in parts for name in dir(part) if name.startswith("on_")}
    assert heard - {kind.handler_name for kind in below(Message)} == set()
    heard |= {name for kind in below(MessagePump) for name in vars(kind) if name.startswith("on_")}
    posted = {
        kind for kind in below(Message) if kind.__module__.startswith("tui.app.") and "." not in kind.__qualname__
    }
    posted = {kind for kind in posted if not kind.__subclasses__()}  # what others are made from is not posted itself
    assert {kind.handler_name for kind in posted} - heard == set()


async def test_what_the_desk_does_not_know_is_let_pass(tmp_path: Path) -> None:
    class Unheard(Message):
        """Nobody's."""

    async with workbench(tmp_path) as bench:
        bench.app.post_message(Unheard())
        await bench.press("f2")
        assert bench.app.bench.library.has_focus
