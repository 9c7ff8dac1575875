"""Where an answer begins: the rendered prompt, and what there is of the answer already. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tui.engine.text import THINKING_TAGS


@dataclass(frozen=True, slots=True)
class Beginning:
    """What the model goes on from."""

    text: str
    thinking: str = ""
    """The opening tag of the thinking that it goes on with; empty where it goes on with the answer."""
    begun: bool = False
    """Some of the answer's text is there already: a tag in what follows opens nothing."""


def beginning(rendered: str, *, answer: str = "", thinking: str = "") -> Beginning:
    """`rendered` is a prompt up to where an answer begins; `answer` and `thinking` what there is of it, without tags.

    Thinking goes between the tags that the template has opened, or else those that most models use; without an answer
    behind it, it is gone on with.
    """
    end = rendered.rstrip()
    opened = next((opening for opening, _ in THINKING_TAGS if end.endswith(opening)), "")
    if not (answer or thinking):
        return Beginning(rendered, opened)
    opening = opened or THINKING_TAGS[0][0]
    closing = dict(THINKING_TAGS)[opening]
    if thinking:
        rendered = (rendered if opened else f"{rendered}{opening}\n") + thinking
        if not answer:
            return Beginning(rendered, opening)
        return Beginning(f"{rendered}\n{closing}\n\n{answer}", begun=True)
    if opened:
        rendered = f"{rendered}\n{closing}\n\n"
    return Beginning(rendered + answer, begun=bool(answer.strip()))
