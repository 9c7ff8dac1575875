"""What a terminal sends for the keys of the action table arrives as those keys."""

from __future__ import annotations

import pytest
from textual import constants, events

from tui.app.driver import Keyboard
from tui.config.keys import character_of, default_keys

WITH_ALT = sorted({key for keys in default_keys().values() for key in keys if key.startswith("alt+")})


@pytest.fixture(autouse=True)
def nothing_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """An Esc alone is one at once."""
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.0)


def keys_of(sent: str) -> list[str]:
    keyboard = Keyboard()
    return [event.key for event in (*keyboard.feed(sent), *keyboard.tick()) if isinstance(event, events.Key)]


@pytest.mark.parametrize("key", WITH_ALT)
def test_every_key_with_alt_can_be_sent(key: str) -> None:
    name = key.removeprefix("alt+")
    sent = "\r" if name == "enter" else character_of(name)
    assert keys_of(f"\x1b{sent}") == [key]


def test_what_a_mac_writes_with_its_option_key_stays_text() -> None:
    assert keys_of("¡") == ["inverted_exclamation_mark"]
