"""Streams an answer under a limit on the size of files, then without it.

Usage: no_room HISTORY. Prints the kind and the words of the refusal, then how many pieces were kept back and stored.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

from tui.chat.errors import StoreError
from tui.chat.store import Store
from tui.chat.values import Piece

LIMIT_BYTES = 400_000


def main(history: Path) -> None:
    store = Store(history)
    question = store.add_message(store.create_conversation().id, None, "user", "Fill the disk")
    answer = store.begin_answer(question.id)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, hard))
    kept: list[Piece] = []
    for number in range(200):
        kept.append(("answer", f"{number:04}" + "x" * 4000))
        try:
            store.append_pieces(answer.id, kept)
        except StoreError as error:
            if len(kept) == 1:
                print(error.kind)
                print(error)
            continue
        kept.clear()
    print(len(kept))
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    store.finish(answer.id, "eog", rest=kept)
    text = store.message(answer.id).content
    print(sum(text.count(f"{number:04}x") for number in range(200)))
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
