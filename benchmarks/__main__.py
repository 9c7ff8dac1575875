"""`python -m benchmarks [NAME…] [--save]`: every benchmark, or the named ones, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_PARTS = {"__init__", "__main__", "report", "bare_batch", "bare_loop", "meters"}


def main() -> int:
    """Run them; the exit code of the worst."""
    options = [argument for argument in sys.argv[1:] if argument.startswith("-")]
    there = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _PARTS)
    wanted = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or there
    # An installed program has its byte code; where none may be kept, each start would compile it anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    worst = 0
    for name in wanted:
        if name not in there:
            print(f"no benchmark {name!r}; there are {', '.join(there)}", file=sys.stderr)
            return 2
        print(f"\n== {name}", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}", *options]
        worst = max(worst, subprocess.run(command, env=environment, check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
