"""How long does the list of conversations take for 100 000 messages? Opened, and for every letter of what is typed in
it: rare and common words, one letter, signs that no index has. Times are of the processor, until the first places are
shown and (`whole_p95`) until all are.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.report import quantiles, tell
from tui.chat.finding import look
from tui.chat.store import Store

MESSAGES, EACH, WORDS = 100_000, 20, 60
TIMES = 15
LINES = ("", "needle", "llama graz", "the", "t", "wa", "#work", "#work the", "!=", "骆马")


def main() -> None:
    """Fill a history, look for each line, print the table."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "history.db"
        _fill(path)
        store = Store(path)
        rows = []
        for line in LINES:
            taken, whole = [], []
            for _ in range(TIMES):
                begun = time.process_time()
                found = look(store, line)
                taken.append((time.process_time() - begun) * 1000)
                while not found.complete:
                    found = look(store, line, so_far=found)
                whole.append((time.process_time() - begun) * 1000)
            figures = {**quantiles(taken), "whole_p95": quantiles(whole)["p95"]}
            rows.append({"line": line or "(all)", "found": len(found.listed), **figures})
        store.close()
    tell("history_search", rows, {str(row["line"]): row["median"] for row in rows})


def _fill(path: Path) -> None:
    """Conversations of words whose frequencies fall as those of a language do (Zipf), with a few seldom ones. The store
    begins each; what follows goes straight into the table, which is ten times as fast."""
    draw = random.Random(6)
    words = ["the", "a", "of", "to", *(_word(draw) for _ in range(20_000))]
    shares = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))

    def text() -> str:
        seldom = " the needle: llamas graze, 骆马 != vicuña" if draw.random() < 0.0002 else ""
        return " ".join(draw.choices(words, cum_weights=shares, k=WORDS)) + seldom

    store = Store(path)
    with store.transaction():
        for number in range(MESSAGES // EACH):
            conversation = store.create_conversation()
            store.add_message(conversation.id, None, "user", text())
            if number % 50 == 0:
                store.set_tags(conversation.id, ["work"])
    store.close()
    with closing(sqlite3.connect(path)) as database:
        database.executemany(
            "INSERT INTO messages (conversation_id, parent_id, role, model, created, state, error, thinking, content) "
            "SELECT ?, max(id), 'assistant', 'm', 0, 'done', '', '', ? FROM messages WHERE conversation_id = ?1",
            ((number % (MESSAGES // EACH) + 1, text()) for number in range(MESSAGES - MESSAGES // EACH)),
        )
        database.commit()


def _word(draw: random.Random) -> str:
    return "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9)))


if __name__ == "__main__":
    main()
