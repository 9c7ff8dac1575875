"""A machine that is not here, as a person describes it: the values of `--device`. Values only."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from tui.config.errors import nearest_of
from tui.config.sizes import MIB, parse_size
from tui.fit.cards import card_named, cards
from tui.fit.values import DeviceSpec, Profile

NONE = "none"
"""A machine without GPUs."""
_PROFILES: dict[str, Profile] = {"cuda": "cuda", "vulkan": "vulkan", "metal": "metal"}
_MOST_DEVICES = 16
"""GGML_CUDA_MAX_DEVICES, and llama.cpp's own limit."""
_MOST_NAME = 64
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*([GT])B/s", re.IGNORECASE | re.ASCII)
_LEAST_BYTES_S, _MOST_BYTES_S = 1e9, 100e12
"""Slower than any GPU's memory, and ten times as fast as the fastest."""
_FORM = "give a card's name such as 4090 or A100-80, NAME=SIZE such as big=48GiB or big=48GiB@960GB/s, or none"


def described_devices(texts: Sequence[str]) -> tuple[DeviceSpec, ...]:
    """The devices that `--device` was given, in that order; "none" alone is no device at all.

    A device carries the name it was given, made unique by a number: two `4090` are `4090` and `4090#2`. All of its
    memory is free. Raises ValueError in words for what cannot be understood.
    """
    if any(_is_none(text) for text in texts):
        if len(texts) > 1:
            raise ValueError("none means no devices, so it cannot be given together with others")
        return ()
    if len(texts) > _MOST_DEVICES:
        raise ValueError(f"{len(texts)} devices are more than llama.cpp can use; the most is {_MOST_DEVICES}")
    return _unique([described_device(text) for text in texts])


def described_device(text: str) -> DeviceSpec:
    """One device: a card's name, or NAME=SIZE[@SPEED][:cuda|vulkan|metal] with SIZE as GiB, MiB, GB, MB or bytes and
    SPEED of its memory as GB/s or TB/s.

    Where NAME is that of a card, its speed and profile are taken from there unless they are given. Raises ValueError in
    words.
    """
    given, equals, rest = text.rpartition("=")
    name = (given if equals else text).strip()
    if not name:
        raise ValueError(f"{text!r} has no name; {_FORM}")
    if len(name) > _MOST_NAME or not name.isprintable():
        raise ValueError(f"{name[:_MOST_NAME]!r} cannot be a device's name; use a short word")
    if not equals:
        return _known(name)
    measures, colon, profile_text = rest.partition(":")
    size_text, at, speed_text = measures.partition("@")
    size = parse_size(size_text)
    if not size:
        raise ValueError(f"{name} has no memory; give it a size such as 24GiB")
    profile = _profile(profile_text) if colon else None
    card = card_named(name)
    spec = DeviceSpec(name=name, total_bytes=size, free_bytes=size) if card is None else card.spec(name)
    if at:
        speed = _bytes_s(name, speed_text)
        spec = msgspec.structs.replace(spec, bandwidth_bytes_s=speed, bandwidth_origin="given")
    return msgspec.structs.replace(spec, total_bytes=size, free_bytes=size, profile=profile or spec.profile)


def _known(name: str) -> DeviceSpec:
    card = card_named(name)
    bare, colon, profile = name.rpartition(":")
    if card is None and colon and (meant := card_named(bare)) is not None:
        example = f"{bare}={meant.memory_bytes // MIB}MiB:{profile}"
        raise ValueError(
            f"{name!r}: a card's name alone stands for its own backend; for another give its size: {example}"
        )
    if card is None:
        near = nearest_of(name, (card.name for card in cards()))
        raise ValueError(f"{name!r} is no card known here" + (f"; did you mean {near}?" if near else "") + f"; {_FORM}")
    return card.spec(name)


def _bytes_s(name: str, text: str) -> float:
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{name}: {text.strip()[:40]!r} is not a memory speed; write it as 960GB/s or 1.8TB/s")
    speed = float(found[1]) * (1e12 if found[2] in "Tt" else 1e9)
    if not _LEAST_BYTES_S <= speed <= _MOST_BYTES_S:
        raise ValueError(f"{name}: no GPU reads its memory at {found[0]}; speeds go from 1GB/s to 100TB/s")
    return speed


def _profile(text: str) -> Profile:
    found = _PROFILES.get(text.strip().lower())
    if found is None:
        raise ValueError(f"{text!r} is none of {', '.join(_PROFILES)}")
    return found


def _is_none(text: str) -> bool:
    return text.strip().lower() == NONE


def _unique(specs: Sequence[DeviceSpec]) -> tuple[DeviceSpec, ...]:
    taken: set[str] = {spec.name for spec in specs}
    seen: set[str] = set()
    made: list[DeviceSpec] = []
    for spec in specs:
        name, count = spec.name, 1
        while name in seen or (count > 1 and name in taken):
            count += 1
            name = f"{spec.name}#{count}"
        seen.add(name)
        made.append(msgspec.structs.replace(spec, name=name))
    return tuple(made)
