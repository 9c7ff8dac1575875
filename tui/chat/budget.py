"""How much of a context a conversation takes, how long that goes on, and what to leave out when it does not. Pure.

Tokens come from the engine: its counts of prompts, and what it measured at the end of each answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.chat.values import Message

LEAST_ANSWER, ANSWER_SHARE = 256, 8
"""Room that an answer needs at least: so many tokens, or that part of a small context."""
_TYPICAL = 6
"""Turns that a forecast looks back on."""
LETTERS_A_TOKEN = 4.0
"""Where nothing was counted: the usual rule of thumb for text in Latin letters."""


@dataclass(frozen=True, slots=True)
class TurnSize:
    """A person's message with its answer."""

    first_id: int
    """Id of the person's message."""
    tokens: int
    measured: bool
    """False where it is reckoned from letters."""


def answer_room(n_ctx: int) -> int:
    """Tokens that are kept for an answer."""
    return min(LEAST_ANSWER, n_ctx // ANSWER_SHARE)


def will_fit(prompt_tokens: int, n_ctx: int) -> bool:
    """Whether a prompt leaves room for an answer."""
    return prompt_tokens + answer_room(n_ctx) <= n_ctx


def turn_sizes(path: Sequence[Message]) -> tuple[TurnSize, ...]:
    """The turns of a branch with their tokens: how much more of the context was used after each, where that was
    measured.
    """
    sizes: list[TurnSize] = []
    used, first_id, letters = 0, None, 0
    for message in path:
        if message.role == "user" and first_id is None:
            first_id = message.id
        letters += len(message.content)
        if message.role != "assistant" or first_id is None or not message.content:
            continue  # an answer that failed before its first word is none
        after = message.timings.get("n_ctx_used")
        if isinstance(after, int) and after > used:
            sizes.append(TurnSize(first_id, after - used, measured=True))
            used = after
        else:  # cut, or from another model, or after what was left out
            tokens = max(1, round(letters / LETTERS_A_TOKEN))
            sizes.append(TurnSize(first_id, tokens, measured=False))
            used = after if isinstance(after, int) else used + tokens
        first_id, letters = None, 0
    return tuple(sizes)


def forecast(path: Sequence[Message], used: int, n_ctx: int) -> int | None:
    """About how many more turns like the last ones there is room for; None before there was one.

    The first turn is left out where there are others: it brings the system prompt along.
    """
    sizes = turn_sizes(path)
    typical = (sizes[1:] or sizes)[-_TYPICAL:]
    if not typical or not n_ctx:
        return None
    mean = sum(turn.tokens for turn in typical) / len(typical)
    return max(0, int((n_ctx - used) / max(1.0, mean)))


@dataclass(frozen=True, slots=True)
class Oldest:
    """The oldest turns of a branch."""

    turns: int = 0
    tokens: int = 0
    """About how many they have together."""


def turns_to_drop(path: Sequence[Message], prompt_tokens: int, alone_tokens: int, n_ctx: int) -> Oldest:
    """The oldest turns, which have to go for the prompt to leave room for an answer; none where even all of them are
    not enough, since so much (`alone_tokens`) is left of it without them.

    A quarter of the context is made free at once, where that can be, so that not every turn asks again.
    """
    sizes = turn_sizes(path)
    if not sizes or not will_fit(alone_tokens, n_ctx):
        return Oldest()
    tokens = _corrected(sizes, prompt_tokens - alone_tokens)
    left, wanted = float(prompt_tokens), n_ctx - max(answer_room(n_ctx), n_ctx // 4)
    count = 0
    while count < len(sizes) and left > wanted:
        left -= tokens[count]
        count += 1
    return Oldest(count, round(prompt_tokens - left))


def _corrected(sizes: Sequence[TurnSize], counted: int) -> list[float]:
    """Tokens of turns that have so many together: what was measured counts, as far as it can, and the rest is shared by
    those that were reckoned."""
    measured = sum(turn.tokens for turn in sizes if turn.measured)
    reckoned = sum(turn.tokens for turn in sizes if not turn.measured)
    if reckoned and measured < counted:
        share = (counted - measured) / reckoned
        return [turn.tokens if turn.measured else turn.tokens * share for turn in sizes]
    return [turn.tokens * counted / (measured + reckoned) for turn in sizes]


def last_left_out(path: Sequence[Message], turns: int) -> int | None:
    """The last message of the oldest `turns` turns of a branch; None where that is none. A question that has no answer
    yet always stays.
    """
    sizes = turn_sizes(path)
    if not turns or not sizes:
        return None
    path = [message for message in path if message.role != "assistant" or message.content]
    asked = path[-1].id if path[-1].role == "user" else None
    first_kept = sizes[turns].first_id if turns < len(sizes) else asked
    before = [message.id for message in path if first_kept is None or message.id < first_kept]
    return before[-1] if before else None


def sent_part(path: Sequence[Message], left_out_to: int | None) -> Sequence[Message]:
    """What of a branch is sent to the model: what follows a message, or all where that is not on this branch."""
    at = next((index + 1 for index, message in enumerate(path) if message.id == left_out_to), 0)
    return path[at:]
