"""A front end with a dry run, as a process that tests kill: `python -m tests.rigs.fit_front_end` prints the pid of its
dry run and then waits.
"""

from __future__ import annotations

import asyncio

from tui.fit.oracle import DryRun


async def _run() -> None:
    dry_run = DryRun()
    await dry_run.devices()
    print(dry_run.pid, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_run())
