"""Files that are loaded beside a model, as the fit asks about them: adapters, a draft model, a projector. Each is read
once for as long as it stays the same.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tui.config.plain import clean
from tui.fit.extras import NOTHING_BESIDE, Draft, Extras, Projector
from tui.fit.plan import Plan
from tui.fit.values import Refused
from tui.gguf.errors import GgufError
from tui.gguf.layout import read_layout
from tui.gguf.stripped import strip
from tui.llama.settings import NO_PROJECTOR, LoadSettings
from tui.models.headers import header_of_file, local_key

_MOST_KEPT = 16
_Read = TypeVar("_Read")


class BesideFiles:
    """Reads them, in threads, for several who ask at once."""

    def __init__(self, headers: Path) -> None:
        """`headers` is the folder that keeps headers of models."""
        self._headers = headers
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], Any] = {}
        """By setting and file; one that was replaced is another."""

    async def of(self, settings: LoadSettings, n_embd: int) -> Extras:
        """What `settings` name, beside a model whose embeddings have `n_embd` values (0 where that is not known).
        Raises Refused for a file that is not what its setting wants.
        """
        if not settings.lora and not settings.draft_model and settings.projector is None:
            return NOTHING_BESIDE
        found = await asyncio.to_thread(self._read, settings)
        if found.projector is not None and not _leads_into(found.projector, n_embd):
            path = found.projector.layout.path
            raise Refused(f"mmproj: {path}: belongs to another model, as nothing in it is {n_embd} wide like this one")
        return found

    def _read(self, settings: LoadSettings) -> Extras:
        with self._lock:
            return Extras(
                tuple(self._once("lora", adapter.path, read_layout) for adapter in settings.lora),
                self._once("draft_model", settings.draft_model, self._draft) if settings.draft_model else None,
                self._once("mmproj", settings.projector, _projector) if settings.projector is not None else None,
            )

    def _once(self, setting: str, path: str, read: Callable[[Path], _Read]) -> _Read:
        file = Path(path).expanduser()
        key = setting, local_key(file)[0] or path
        try:
            found: _Read = self._known.pop(key) if key in self._known else read(file)
        except GgufError as error:
            raise Refused(f"{setting}: {error}") from error
        self._known[key] = found
        while len(self._known) > _MOST_KEPT:
            self._known.pop(next(iter(self._known)))
        return found

    def _draft(self, path: Path) -> Draft:
        known = header_of_file(path, self._headers)
        if known.shape.architecture == "clip":
            raise GgufError(path, "is a projector (mmproj), not a model; name a small model of the same family")
        return Draft(known.stripped, known.shape)


def engine_settings(wished: LoadSettings) -> tuple[LoadSettings, tuple[str, ...]]:
    """`wished` as an engine of puna can be loaded, and what of it is left out, in sentences."""
    if not wished.draft_model:
        return wished, ()
    said = f"The draft model {Path(wished.draft_model).name} is not used: this version answers without one."
    return msgspec.structs.replace(wished, draft_model=""), (said,)


def _leads_into(projector: Projector, n_embd: int) -> bool:
    """False for what surely gives no embeddings of that width; llama.cpp refuses it at the load."""
    return not n_embd or any(n_embd in tensor.shape for tensor in projector.layout.tensors)


async def with_or_without(projector: Path, planned: Callable[[str], Awaitable[Plan]]) -> Plan:
    """The plan with a projector that was found, or the one without it where only that is possible. Raises Refused."""
    made, why = None, "there is no room for it"
    try:
        made = await planned(str(projector))
    except Refused as refusal:
        why = str(refusal).removeprefix("mmproj: ").removeprefix(f"{projector}: ")
    if made is not None and made.assessment.verdict != "no":
        return made
    bare = await planned(NO_PROJECTOR)
    if made is not None and bare.assessment.verdict == "no":
        return made
    left_out = f"{clean(projector.name)} is left out, so that this load sees no images: {why}."
    return msgspec.structs.replace(bare, said=(*bare.said, left_out))


def _projector(path: Path) -> Projector:
    layout = read_layout(path)
    if not layout.header.is_projector:
        what = f"a model ({layout.header.architecture})" if layout.header.architecture else "something else"
        raise GgufError(path, f"is no projector but {what}; name the mmproj file that was published with the model")
    return Projector(layout, strip(layout))
