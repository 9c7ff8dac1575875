"""Requests to an engine, made of what a front end has: even text that is not UTF-8 must not break the protocol."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tui.engine.protocol import ChatMessage, CountTokens, Generate, Load
from tui.llama.settings import LoadSettings, SamplingSettings


def load(path: Path, settings: LoadSettings, name: str) -> Load:
    """Load the file at `path`, relative to this process's working folder; OSError when that folder is gone."""
    return Load(os.fsencode(path.absolute()), settings, _sendable(name))


def generate(
    number: int,
    messages: Sequence[ChatMessage] | None,
    prompt: str | None,
    *,
    sampling: SamplingSettings,
    max_tokens: int | None,
    stop: Sequence[str],
    pane: int,
    ignore_end: bool,
    answer: str = "",
    thinking: str = "",
    think: bool | None = None,
) -> Generate:
    """Answer `messages` or continue `prompt`; ValueError unless exactly one of the two is given."""
    if (messages is None) == (prompt is None):
        raise ValueError("give either messages or prompt")
    return Generate(
        id=number,
        messages=_messages(messages),
        prompt=None if prompt is None else _sendable(prompt),
        sampling=sampling,
        max_tokens=max_tokens,
        stop=tuple(_sendable(text) for text in stop),
        pane=pane,
        ignore_end=ignore_end,
        answer=_sendable(answer),
        thinking=_sendable(thinking),
        think=think,
    )


def count_tokens(number: int, messages: Sequence[ChatMessage] | None, text: str | None) -> CountTokens:
    """Count the tokens of `messages` through the chat template, or of `text` as it is."""
    return CountTokens(id=number, messages=_messages(messages), text=None if text is None else _sendable(text))


def _messages(messages: Sequence[ChatMessage] | None) -> tuple[ChatMessage, ...] | None:
    if messages is None:
        return None
    return tuple(ChatMessage(one.role, _sendable(one.content), _sendable(one.thinking), one.images) for one in messages)


def _sendable(text: str) -> str:
    """`text` without lone surrogates: they stand for bytes that were no UTF-8, and cannot travel."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
