"""The model card of a repository, fetched in bounds and made plain: text in Markdown that shows what it says and does
nothing else.

No picture is fetched, no HTML is left, and nothing of it can speak to the terminal. Code is shown as it was written.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tui.hub.answers import answer
from tui.hub.client import Hub
from tui.hub.errors import NotFound
from tui.hub.files import RepoFiles
from tui.hub.markup import plain_markdown

MOST_BYTES = 512 << 10
"""Of the card that are fetched; the longest that people wrote have some 200 KB."""
MOST_SHOWN = 64 << 10
"""Characters; more than that nobody reads in a pane."""
_MOST_STRANGE = 0.05
"""Share of bytes that are no text, from which on the whole is none."""


@dataclass(frozen=True, slots=True)
class Card:
    """A model card."""

    text: str
    """Markdown without HTML, pictures and front matter; empty where the card says nothing."""
    is_cut: bool
    """True when the card goes on; its page has all of it."""


def fetch_card(hub: Hub, files: RepoFiles, *, cancel: threading.Event | None = None) -> Card | None:
    """The card of a repository at its commit; None where it has none. Blocks; for a worker thread.

    Raises HubError and Cancelled.
    """
    asked = hub.asking(files.repo, file="README.md", revision=files.commit)
    path = f"/{files.repo}/resolve/{files.commit}/README.md"
    try:
        came = answer(hub, asked, path, most_bytes=MOST_BYTES, cancel=cancel)
    except NotFound:
        return None
    return card_of(came.data, is_cut=came.is_cut)


def card_of(data: bytes, *, is_cut: bool = False) -> Card | None:
    """A card out of its bytes; None for what is no text. `is_cut` where these are not all of them."""
    if is_cut and b"\n" in data:
        data = data[: data.rindex(b"\n")]
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    strange = text.count("\ufffd") + text.count("\0")
    if strange > _MOST_STRANGE * len(text):
        return None
    text = plain_markdown(_without_front_matter(text))
    if len(text) <= MOST_SHOWN:
        return Card(text, is_cut)
    text = text[:MOST_SHOWN]
    return Card(text.rpartition("\n")[0] or text, True)


def _without_front_matter(text: str) -> str:
    """Without the YAML at the start, which the Hub tells in its own words."""
    lines = text.lstrip().split("\n")
    if lines[0].rstrip() != "---":
        return text
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), None)
    return text if end is None else "\n".join(lines[end + 1 :])
