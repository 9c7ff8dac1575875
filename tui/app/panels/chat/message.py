"""One message as the transcript is given it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Channel = Literal["answer", "thinking"]


@dataclass(frozen=True)
class Picture:
    """An image that a message carries."""

    about: str
    """Its name, and how large it is."""
    width: int = 0
    height: int = 0
    rgb: bytes = b""
    """Three bytes a pixel, row after row; empty where it is not here any more."""
    file: Path | None = None
    """The whole image, for a terminal that can show more of it."""


@dataclass(frozen=True)
class TranscriptMessage:
    """One message. Nothing of it needs to be safe for a terminal: the transcript sees to that."""

    key: str
    """What the caller knows it by; unique in the transcript."""
    role: str
    """"user", "assistant" or "system"; a person's and a system's text is shown as it is, an answer as Markdown."""
    text: str
    thinking: str = ""
    folded: str = ""
    """What the folded text is called when it is no thinking: files that a person sent along."""
    note: str = ""
    """What became of it, such as "stopped"; shown under the text."""
    label: str = ""
    """Who speaks; "you" for a person when empty, nothing for an answer."""
    thinking_s: float | None = None
    """Seconds of thinking, when known."""
    failed: bool = False
    """The note is an error."""
    pictures: tuple[Picture, ...] = ()
    """Images that a person sent along."""
    version: str = ""
    """Which of its versions it is, such as "2/3"; empty where there is one."""
