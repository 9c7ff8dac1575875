"""A trial of a model's speed with zeros for weights, on a person's word: planned, run, and kept as a measurement."""

from __future__ import annotations

import asyncio
import time

from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.fit.candidates import experts_on_host
from tui.fit.phantom import bare, phantom_speed
from tui.fit.speed import measurement
from tui.hardware.cpu import default_threads, logical_cpus
from tui.hardware.snapshot import Snapshot
from tui.llama.phantom_messages import PhantomSpeed
from tui.llama.settings import LoadSettings
from tui.models.fitting import Fitting
from tui.models.lessons import keep_speed
from tui.models.prepare import may_move
from tui.models.subject import Subject


async def try_speed(
    fitting: Fitting,
    paths: Paths,
    subject: Subject,
    wished: LoadSettings,
    settings: Settings,
    snapshot: Snapshot,
    leaving: int | None = None,
) -> PhantomSpeed:
    """Load `subject`'s header for real, decode, and remember how fast it was. The settings are those that a load would
    have once the engine with pid `leaving` has made room for it; the trial itself runs beside that engine.

    Raises NoRoom where there is none now, Refused where llama.cpp refuses it, PhantomError where the trial fails.
    """
    wished = bare(wished)
    later = await fitting.seen(snapshot, settings, leaving=leaving)
    made = await fitting.plan(subject, wished, later.machine, settings, may_move=may_move(wished, asked=later.asked))
    seen = await fitting.seen(snapshot, settings) if leaving is not None else later
    await fitting.release()
    threads = default_threads(1) if isinstance(made.settings.threads, str) else made.settings.threads
    shape, about = subject.shape, (made.settings, made.prediction, seen.machine)
    tried = await phantom_speed(
        subject.header,
        *about,
        n_block=shape.n_block,
        n_cpu_moe=experts_on_host(made.settings, shape),
        threads=threads,
        cpus=len(logical_cpus()),
    )
    kept = measurement(
        shape,
        *about,
        model=subject.identity,
        kind="phantom",
        time=time.time(),
        n_past=tried.n_past,
        decode_tok_s=tried.decode_tok_s,
        prefill_tok_s=tried.prefill_tok_s,
    )
    await asyncio.to_thread(keep_speed, paths, kept)
    return tried
