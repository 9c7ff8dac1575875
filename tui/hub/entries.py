"""From one entry of the Hub's list of models to a Listing: whatever strangers wrote there, only what holds is taken.

Any key may be missing or of another type. A name that could lead astray makes the entry worthless; any other fact that
does not hold is simply not known.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import datetime

from tui.config.plain import one_line
from tui.hub.files import is_repo
from tui.hub.listing import Listing
from tui.hub.use_cases import use_cases

EXPANDED = ("gguf", "downloads", "likes", "tags", "lastModified", "gated", "pipeline_tag")
"""Keys of an entry that are asked for."""
MOST_TAGS = 200
_LONGEST_WORD = 64
_MOST = 1 << 53
"""Counts above it are nonsense, and no longer exact in JSON."""
_QUANTIZED, _BASE = "base_model:quantized:", "base_model:"
_RELATION = re.compile(r"base_model:(?:finetune|adapter|merge):")
_LICENCE = "license:"
_SIZE = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([mbt])(?![a-z0-9])")
"""As in Qwen3-30B-A3B, Mixtral-8x7B, SmolLM2-135M."""
_ACTIVE = re.compile(r"(?<![a-z0-9.])a(\d{1,3}(?:\.\d{1,3})?)([mb])(?![a-z0-9])")
"""As in Qwen3-30B-A3B: what a token uses of a mixture, which the Hub does not tell."""
_UNITS = {"m": 1e6, "b": 1e9, "t": 1e12}
_FAR = 2.5


def listing_of(entry: object) -> Listing | None:
    """What one entry tells; None for what is no repository that can be named."""
    if not isinstance(entry, dict):
        return None
    repo = entry.get("id")
    if not isinstance(repo, str) or not is_repo(repo):
        return None
    tags = _tags(entry.get("tags"))
    gguf = entry.get("gguf")
    facts = gguf if isinstance(gguf, dict) else {}
    context_length = _count(facts.get("context_length"))
    name = repo.rpartition("/")[2]
    parameters = _parameters(_count(facts.get("total")), name)
    return Listing(
        repo=repo,
        model=_model(tags),
        architecture=_word(facts.get("architecture")),
        parameters=parameters,
        active_parameters=_active(parameters, name),
        context_length=context_length,
        use_cases=use_cases(
            name=name,
            context_length=context_length,
            pipeline=_word(entry.get("pipeline_tag")) or None,
            tags=tags,
        ),
        licence=next((tag.removeprefix(_LICENCE) for tag in tags if tag.startswith(_LICENCE)), None) or None,
        # Anything but a plain "no" has to be asked for.
        gated=entry.get("gated") not in (None, False),
        downloads=_count(entry.get("downloads"), least=0),
        likes=_count(entry.get("likes"), least=0),
        updated=_moment(entry.get("lastModified")),
    )


def _tags(found: object) -> tuple[str, ...]:
    """Tags in characters that can be shown."""
    if not isinstance(found, list):
        return ()
    plain = (tag for tag in found[:MOST_TAGS] if isinstance(tag, str) and 0 < len(tag) <= 2 * _LONGEST_WORD)
    return tuple(tag for tag in plain if one_line(tag) == tag)


def _model(tags: Iterable[str]) -> str:
    """The one model that was quantized; empty where tags name none, several, or one that this is made from."""
    tags = tuple(tags)
    found = {tag.removeprefix(_QUANTIZED) for tag in tags if tag.startswith(_QUANTIZED)}
    if not found and not any(_RELATION.match(tag) for tag in tags):
        found = {tag.removeprefix(_BASE) for tag in tags if tag.startswith(_BASE)}
    only = found.pop() if len(found) == 1 else ""
    return only if is_repo(only) else ""


def _count(value: object, *, least: int = 1) -> int | None:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return value if type(value) is int and least <= value <= _MOST else None


def _parameters(total: int | None, name: str) -> int | None:
    """`total`, unless the model's own name says something else: the Hub counts one file, which may be the first of
    several shards, or a projector.
    """
    sizes = [float(size) * float(times or 1) * _UNITS[unit] for times, size, unit in _SIZE.findall(name.casefold())]
    if total is None or not sizes:
        return total
    return total if max(sizes) / _FAR <= total <= max(sizes) * _FAR else None


def _active(parameters: int | None, name: str) -> int | None:
    """Parameters that one token uses, where the name of a mixture says so."""
    found = _ACTIVE.search(name.casefold())
    active = round(float(found[1]) * _UNITS[found[2]]) if found is not None else 0
    return active if 0 < active < (parameters or 0) else None


def _word(value: object) -> str:
    """A short name in plain characters; empty for anything else."""
    fits = isinstance(value, str) and len(value) <= _LONGEST_WORD and re.fullmatch(r"[\w .+-]+", value, re.ASCII)
    return str(value) if fits else ""


def _moment(value: object) -> str | None:
    """ISO 8601 as it came, when it is that."""
    if not isinstance(value, str) or len(value) > _LONGEST_WORD:
        return None
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return None
    return value
