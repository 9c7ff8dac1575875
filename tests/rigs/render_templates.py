"""Renders chat templates in a process of its own: one of them may need all memory, or never end.

Run as `python -m tests.rigs.render_templates TIME_LIMIT_S MEMORY_BYTES` with a JSON list of templates on standard
input; one JSON line an answer: the text's length or the error, and by how many bytes this process's peak has grown.
"""

from __future__ import annotations

import json
import resource
import sys

from tui.engine import limits
from tui.engine.protocol import ChatMessage
from tui.engine.template import ChatTemplate
from tui.llama.errors import LlamaError


def main(argv: list[str]) -> None:
    """Render each template with one short message."""
    time_limit_s, limits.MEMORY_BYTES = float(argv[0]), int(argv[1])
    before = _peak_bytes()
    for source in json.load(sys.stdin):
        answer: dict[str, object] = {"template": source}
        try:
            template = ChatTemplate(source, bos="", eos="", time_limit_s=time_limit_s)
            answer["length"] = len(template.render([ChatMessage("user", "hi")], time_limit_s=time_limit_s))
        except LlamaError as error:
            answer["error"] = str(error)
        print(json.dumps({**answer, "grown": _peak_bytes() - before}), flush=True)


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main(sys.argv[1:])
