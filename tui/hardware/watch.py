"""Snapshots that never make anybody wait: GPUs and disk are measured in threads of their own, the host where one asks.

A driver call that hangs keeps its thread; whoever asks gets the last rows, marked as stale with their age, beside RAM
figures of this moment. The threads are daemons: one that hangs does not keep the program from ending. Where the system
grants no thread (`ulimit -u`), GPUs are measured in that of whoever asks, and the disk is left out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from tui.hardware.sampler import Sampler
from tui.hardware.snapshot import Disk, Gpu, Snapshot

BUDGET_S = 0.25
"""How long a driver may take before its rows count as stale, and how long `sample` waits for them."""
FIRST_S = 5.0
"""How long it may take the first time: opening NVML starts cards that nobody uses, one after the other."""
DISK_S, DISK_PATIENCE_S = 10.0, 5.0
"""How often the room for models is measured, which changes slowly, and after how long its disk counts as silent."""

SILENT = "the graphics driver does not answer: wait a little, then see what dmesg says"

Value = TypeVar("Value")


class Part(Generic[Value]):
    """One thing that is measured again and again in a thread of its own, one measurement at a time."""

    def __init__(
        self,
        name: str,
        measure: Callable[[Collection[int]], Value],
        first: Value,
        clock: Callable[[], float],
        close: Callable[[], None] = lambda: None,
        *,
        must_be: bool = True,
    ) -> None:
        """`must_be`: where there is no thread for it, it is measured in that of whoever asks."""
        self.value = first
        """What the last measurement that came back found."""
        self.measured_at: float | None = None
        """The clock's time when it was asked for; None before the first."""
        self._name, self._measure, self._clock, self._close = name, measure, clock, close
        self._must_be = must_be
        self._condition = threading.Condition()
        self._failed = False
        self._pids: Collection[int] = ()
        self._asked_at: float | None = None
        self._ends = False
        self._thread: threading.Thread | None = None

    def ask(self, pids: Collection[int] = ()) -> None:
        """Have it measured now; nothing where that is under way already."""
        if self._asked_at is not None or self._ends:
            return
        alone = self._has_thread()
        if not alone and not self._must_be:
            return
        with self._condition:
            self._pids, self._asked_at = pids, self._clock()
            self._condition.notify_all()
        if not alone:
            self._measure_now()

    def late(self, budget_s: float) -> bool:
        """True when the measurement under way has taken longer than it may, or the last one broke."""
        asked = self._asked_at
        return self._failed if asked is None else self._clock() - asked >= budget_s

    def last(self) -> tuple[Value, float | None]:
        """What the last measurement that came back found, and when it was asked for."""
        with self._condition:
            return self.value, self.measured_at

    def wait(self, seconds: float) -> bool:
        """Wait for the measurement under way, that long at most. True when there is none any more."""
        with self._condition:
            return self._condition.wait_for(lambda: self._asked_at is None, seconds)

    def end(self, seconds: float) -> None:
        """End the thread and let go of what it used. One that hangs is left to itself."""
        with self._condition:
            self._ends = True
            self._condition.notify_all()
        if self._thread is None:
            self._close()
        else:
            self._thread.join(seconds)

    def _has_thread(self) -> bool:
        """True where it has a thread of its own; one that was refused is tried for again the next time."""
        if self._thread is None:
            thread = threading.Thread(target=self._run, name=f"measure {self._name}", daemon=True)
            try:
                thread.start()
            except RuntimeError:
                return False
            self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._ends or self._asked_at is not None)
                if self._ends:
                    break
            self._measure_now()
        # In this thread: letting go of a driver waits for its calls.
        self._close()

    def _measure_now(self) -> None:
        pids, started = self._pids, self._asked_at
        try:
            found = [self._measure(pids)]
        except Exception:  # the last value stays, and grows old in sight of everybody
            found = []
        with self._condition:
            self._asked_at, self._failed = None, not found
            if found:
                self.value, self.measured_at = found[0], started
            self._condition.notify_all()


Rows = tuple[tuple[Gpu, ...], str | None]
"""GPU rows, and why NVIDIA's driver does not answer."""


class Watch:
    """Takes snapshots with one sampler, which is the watch's own from now on. For one thread at a time.

    `disk_folder` tells where models go, whose room is told, too; it is asked in the thread that measures.
    """

    def __init__(
        self,
        sampler: Sampler | None = None,
        *,
        disk_folder: Callable[[], str] | None = None,
        budget_s: float = BUDGET_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sampler = sampler if sampler is not None else Sampler()
        self._budget_s, self._clock = budget_s, clock
        nothing: Rows = ((), None)
        self._gpus = Part("GPUs", self._measure_gpus, nothing, clock, self._sampler.close)
        self._disk_folder = disk_folder
        self._disk: Part[Disk | None] = Part("disk", self._measure_disk, None, clock, must_be=False)
        self._started_at = clock()

    def sample(self, engine_pids: Collection[int] = (), wait_s: float | None = None) -> Snapshot:
        """The machine now. Waits `wait_s` for the GPUs, the budget where not given, and never again for a driver that
        is late already; with 0 the GPU rows are those of the time before, measured anew for the next time. Before the
        first measurement has come back there are no rows.
        """
        budget_s = FIRST_S if self._gpus.measured_at is None else self._budget_s
        self._gpus.ask(engine_pids)
        if not self._gpus.late(budget_s):
            self._gpus.wait(self._budget_s if wait_s is None else wait_s)
        stale = self._gpus.late(budget_s)
        (rows, problem), measured = self._gpus.last()
        if stale and measured is None:
            problem = SILENT
        age = self._clock() - (self._started_at if measured is None else measured)
        self._ask_for_disk()
        disk = self._room(min(wait_s or 0.0, self._budget_s))
        return self._sampler.host(engine_pids, rows, problem, disk, gpus_age_s=max(0.0, age), gpus_stale=stale)

    def close(self) -> None:
        """End the threads. Returns within about twice the budget even where a driver hangs."""
        self._gpus.end(self._budget_s)
        self._disk.end(self._budget_s)

    def _measure_gpus(self, engine_pids: Collection[int]) -> Rows:
        rows, problem = self._sampler.gpus(engine_pids), self._sampler.nvml_problem
        return rows, str(problem) if problem is not None else None

    def _measure_disk(self, _pids: Collection[int]) -> Disk | None:
        from tui.hardware.disk import disk

        return disk(self._disk_folder()) if self._disk_folder is not None else None

    def _ask_for_disk(self) -> None:
        measured = self._disk.measured_at
        if self._disk_folder is not None and (measured is None or self._clock() - measured >= DISK_S):
            self._disk.ask()

    def _room(self, wait_s: float) -> Disk | None:
        """What was measured last: nobody waits for a disk, except for a moment the first time, and only where a wait
        is asked for. One that is silent, as a network folder without its network, has no figures.
        """
        if self._disk_folder is None:
            return None
        if self._disk.measured_at is None and not self._disk.late(self._budget_s):
            self._disk.wait(wait_s)
        return Disk() if self._disk.late(DISK_PATIENCE_S) else self._disk.last()[0]
