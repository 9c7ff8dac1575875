"""A stored message as the transcript takes it, with the words that stand under an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.app.panels.chat.message import Picture, TranscriptMessage
from tui.app.text import plural, rate
from tui.chat.attachments import Attached, parted

if TYPE_CHECKING:
    from tui.chat.images import Images
    from tui.chat.values import Message

_REASONS = {
    "cancelled": "stopped",
    "length": "ended at max_tokens",
    "context": "ended because the context is full",
    "failed": "failed",
}


def transcribed(message: Message, instead: str = "", images: Images | None = None) -> TranscriptMessage:
    """The message with its note; `instead` stands for the model's name, where that is not to be known. What it carries
    is looked for in `images`."""
    answer = message.role == "assistant"
    words, carried = (message.content, ()) if answer else parted(message.content)
    files = [file for file in carried if not file.digest]
    return TranscriptMessage(
        key=str(message.id),
        role=message.role,
        text=words,
        thinking="\n".join(file.text for file in files) if files else message.thinking,
        folded=", ".join(file.about for file in files),
        note=answer_note(message) if answer else "",
        label=(instead or message.model or "assistant") if answer else "",
        failed=failed(message),
        pictures=tuple(_picture(file, images) for file in carried if file.digest),
        version=version(message),
    )


def _picture(file: Attached, images: Images | None) -> Picture:
    small = images.small(file.digest) if images is not None else None
    if images is None or small is None:
        return Picture(f"{file.about}, not here any more")
    return Picture(file.about, small.width, small.height, small.rgb, images.file(file.digest))


def version(message: Message) -> str:
    """Which of its versions a message is, where there are several."""
    return f"{message.version}/{message.versions}" if message.versions > 1 else ""


def failed(message: Message) -> bool:
    """True when the answer ended with an error."""
    return bool(message.error) or message.reason == "failed"


def answer_note(message: Message) -> str:
    """What stands under an answer: why it ended, when not by itself, and how fast it came."""
    if message.error:
        ending = message.error
    elif message.state == "streaming":
        return "being written in another window"
    elif message.reason is None:
        ending = "cut off when puna ended" if message.state == "cut" else ""  # one that came from elsewhere has none
    else:
        ending = _REASONS.get(message.reason, "")
    tokens, speed = message.timings.get("completion_tokens"), message.timings.get("decode_tok_s")
    count = plural(tokens, "token") if isinstance(tokens, int) and tokens else ""
    pace = rate(float(speed)) if isinstance(speed, float | int) and speed else ""
    return ", ".join(part for part in (ending, count, pace) if part)
