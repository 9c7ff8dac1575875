"""A dry-run child one of whose rules for stand-in devices raises at a context of 768 tokens.

Run as `python -m tests.rigs.one_fault` in place of `tui.fit.dry_run`.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

from tui.fit.dry_run import main
from tui.fit.layouts import Layouts
from tui.fit.questions import ProjectorQuestion, Question, Reply

_answer = Layouts._answer


def _faulty(self: Layouts, question: Question | ProjectorQuestion) -> Reply:
    if isinstance(question, Question) and question.settings.n_ctx == 768:
        fault: Any = SimpleNamespace(exc_value=KeyError("soft"))
        sys.unraisablehook(fault)
    return _answer(self, question)


if __name__ == "__main__":
    Layouts._answer = _faulty  # type: ignore[method-assign]
    main()
