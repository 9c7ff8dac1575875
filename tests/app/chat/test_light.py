"""The first frame has a transcript and an editor, and pays for nothing that only messages need."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["transcript", "editor"])
def test_importing_a_widget_imports_no_renderer(module: str) -> None:
    script = (
        f"import sys, tui.app.panels.chat.{module};"
        "heavy = ('markdown_it', 'pygments', 'msgspec', 'textual.widgets._markdown',"
        " 'textual.widgets._text_area', 'tui.app.panels.chat.document', 'tui.app.panels.chat.segment');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
