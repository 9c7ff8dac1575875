"""Which of two answers to one prompt a person found better, and what follows for the models that wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tui.chat.database import Database
from tui.chat.text import storable
from tui.chat.values import Message

Winner = Literal["left", "right", "tie"]
UseCase = Literal["chat", "code", "reasoning", "summarising"]
LONG_PROMPT = 2000
"""Characters from which on a prompt brings a text of its own along."""

_STANDINGS = """
    SELECT model, use_case, sum(won), sum(lost), sum(tied) FROM (
        SELECT left_model AS model, use_case, winner = 'left' AS won, winner = 'right' AS lost, winner = 'tie' AS tied
        FROM votes WHERE left_model <> right_model
        UNION ALL
        SELECT right_model, use_case, winner = 'right', winner = 'left', winner = 'tie'
        FROM votes WHERE left_model <> right_model
    )
    GROUP BY model, use_case
    ORDER BY sum(sum(won)) OVER (PARTITION BY model) DESC, model, sum(won) DESC, use_case
"""


@dataclass(frozen=True, slots=True)
class Vote:
    """One comparison."""

    use_case: UseCase
    left_model: str
    right_model: str
    left_id: int
    """The message on the left."""
    right_id: int
    winner: Winner
    blind: bool
    """The person did not know who wrote what."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How often a model was preferred in one use case."""

    model: str
    use_case: str
    wins: int
    losses: int
    ties: int


def add(database: Database, vote: Vote, now: float) -> None:
    """Keep a vote; a second one about the same two answers takes the place of the first. `now` is Unix seconds."""
    with database.transaction():
        database.execute("DELETE FROM votes WHERE min(left_id, right_id) = ? AND max(left_id, right_id) = ?",
                         (min(vote.left_id, vote.right_id), max(vote.left_id, vote.right_id)))  # fmt: skip
        database.execute(
            "INSERT INTO votes (created, use_case, left_model, right_model, left_id, right_id, winner, blind) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (now, vote.use_case, storable(vote.left_model), storable(vote.right_model), vote.left_id, vote.right_id,
             vote.winner, int(vote.blind)),
        )  # fmt: skip


def standings(database: Database) -> tuple[Standing, ...]:
    """All models that were compared with another one, that with most wins first; its use cases one after the other."""
    return tuple(Standing(*row) for row in database.rows(_STANDINGS))


def alike(database: Database) -> int:
    """How many votes were about two answers of one model, drawn alike: they say nothing about models."""
    return int(database.value("SELECT count(*) FROM votes WHERE left_model = right_model"))


def use_case_of(prompt: str, answers: Sequence[Message]) -> UseCase:
    """What a prompt was for, as far as it and its answers show: thinking, code, a text brought along, or plain talk."""
    if any("```" in answer.content for answer in answers):
        return "code"
    if any(answer.thinking for answer in answers):
        return "reasoning"
    return "summarising" if len(prompt) >= LONG_PROMPT else "chat"
