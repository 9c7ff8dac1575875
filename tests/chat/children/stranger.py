"""Opens a history as somebody without rights to its folder and prints the refusal.

Usage: stranger HISTORY. Prints the kind, then the words.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tui.chat.errors import StoreError
from tui.chat.store import Store

NOBODY = 65534


def main(history: Path) -> None:
    if os.geteuid() == 0:  # permissions do not stop root
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        Store(history).close()
    except StoreError as error:
        print(error.kind)
        print(error)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
