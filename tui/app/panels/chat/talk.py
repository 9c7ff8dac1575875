"""The transcript in the workbench's colours: frames as quiet as the panels' own, code as the theme has it."""

from __future__ import annotations

from tui.app.panels.chat.transcript import Transcript


class TalkTranscript(Transcript):
    """The transcript."""

    DEFAULT_CSS = """
    TalkTranscript {
        & > .transcript--frame { color: $frame; }
        & > .transcript--comment { color: $code-comment; }
        & > .transcript--keyword { color: $code-keyword; }
        & > .transcript--string, & > .transcript--code { color: $code-string; }
        & > .transcript--number { color: $code-number; }
        & > .transcript--name { color: $code-function; }
        & > .transcript--builtin { color: $code-type; }
    }
    """
