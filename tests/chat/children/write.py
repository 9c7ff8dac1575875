"""Writes turns into a history that others write to at the same time.

Usage: write HISTORY CONVERSATION NAME TURNS. Prints `ready`, waits for a line, writes, prints `done`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tui.chat.store import Store


def main(history: Path, shared: int, name: str, turns: int) -> None:
    store = Store(history)
    own = store.create_conversation(title=f"only {name}")
    print("ready")
    sys.stdin.readline()
    for turn in range(turns):
        for conversation_id in (shared, own.id):
            question = store.add_message(conversation_id, None, "user", f"{name} asks {turn}")
            answer = store.begin_answer(question.id, name)
            for part in range(3):
                store.append(answer.id, f"{name}{turn}part{part} ")
            store.finish(answer.id, "eog")
    store.close()
    print("done")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
