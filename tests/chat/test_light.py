"""The types that the first frame may need are cheap to import."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("sqlite3", "msgspec", "asyncio", "json", "textual")


@pytest.mark.parametrize("module", ["tui.chat", "tui.chat.values", "tui.chat.errors", "tui.chat.tree", "tui.chat.text"])
def test_the_light_modules_import_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_store_needs_no_screen_and_no_model() -> None:
    others = ("textual", "llama_cpp", "huggingface_hub")
    code = f"import sys, tui.chat.session; print([name for name in {others!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
