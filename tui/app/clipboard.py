"""The terminal's clipboard, reached by an escape sequence (OSC 52) that crosses SSH; and files as the way out where it
is not reached. The terminal never answers, so nobody may say "copied".
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from pathlib import Path

LIMIT_BYTES = 74_994
"""What fits the 100 000 bytes of base64 that xterm and tmux take."""


def sequence(text: str, environ: Mapping[str, str] | None = None) -> str:
    """The escape sequence that sets the clipboard; inside tmux and screen also wrapped, to reach the terminal outside.

    tmux takes the plain one when its `set-clipboard` is on, and passes the wrapped one on when `allow-passthrough` is;
    sending both covers either setting.
    """
    environ = os.environ if environ is None else environ
    plain = f"\x1b]52;c;{base64.b64encode(text.encode('utf-8', 'replace')).decode()}\x07"
    if environ.get("TMUX"):
        return plain + through_tmux(plain)
    if environ.get("STY"):
        # screen passes on at most 768 bytes at a time
        return "".join(f"\x1bP{plain[at : at + 700]}\x1b\\" for at in range(0, len(plain), 700))
    return plain


def through_tmux(sequence: str) -> str:
    """A sequence that tmux passes on to the terminal outside, when its `allow-passthrough` is on."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def too_long(text: str) -> bool:
    """True when terminals would cut the text."""
    return len(text.encode("utf-8", "replace")) > LIMIT_BYTES


def write_file(text: str, title: str, folder: Path) -> Path:
    """Write `text` to a new Markdown file in `folder`, named after `title`; never over another file. Raises OSError."""
    stem = re.sub(r"[^\w-]+", "-", title.lower()).strip("-")[:40] or "answer"
    for number in range(1, 1000):
        path = folder / (f"{stem}.md" if number == 1 else f"{stem}-{number}.md")
        try:
            with path.open("x", encoding="utf-8", errors="replace") as file:
                file.write(text if text.endswith("\n") else text + "\n")
        except FileExistsError:
            continue
        return path
    raise FileExistsError(17, "there are a thousand files of that name", str(folder / stem))
