"""A module that is run once: it answers with what it was given, or ends in the way that it was told to."""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """argv[1]: echo, fail, die or wait."""
    way = sys.argv[1]
    if way == "fail":
        print("something native", file=sys.stderr)
        sys.exit("this cannot be done")
    if way == "die":
        os.kill(os.getpid(), signal.SIGABRT)
    if way == "wait":
        print(os.getpid(), flush=True)
        signal.pause()
    facts = {
        "arguments": sys.argv[1:],
        "request": sys.stdin.buffer.read().decode(),
        "nice": os.nice(0),
        "session": os.getsid(0) == os.getpid(),
        "backtrace": os.environ.get("GGML_NO_BACKTRACE"),
    }
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
