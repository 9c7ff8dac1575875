"""`puna fit`: what a model takes, here or on a described machine, before it is loaded or downloaded.

Flags count first, then what is kept for the model, then the person's defaults, then what is best: what is said is what
a load would take. With `--device` nothing that is kept about the GPUs and threads of this machine counts.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

from tui.cli.fit_table import beside_json, explained_lines, report_lines, table_by_context
from tui.cli.loading import asked_for, configured, number_or, run_until_signal, say_doubts, sound, tokens_or_auto
from tui.cli.main import DONE, USAGE, CommandError, say
from tui.cli.output import show, write_json
from tui.config.folders import absolute
from tui.config.paths import Paths
from tui.config.settings import Settings
from tui.config.sizes import parse_size, size
from tui.fit.bandwidths import BandwidthError
from tui.fit.described import described_devices
from tui.fit.fixes import Holder
from tui.fit.values import DeviceSpec, Machine, Refused
from tui.gguf.errors import GgufError
from tui.hub.client import Patience, connect
from tui.hub.errors import HubError, NotFound
from tui.library import Model, scan
from tui.llama.settings import NO_PROJECTOR, FlashAttention, LoadSettings
from tui.models.beside import engine_settings
from tui.models.fit_report import FitReport, to_json
from tui.models.fitting import Fitting
from tui.models.headers import headers_dir
from tui.models.lessons import last_load
from tui.models.machine import Seen, described_machine, holders
from tui.models.prepare import look, may_move
from tui.models.remote import remote_subject
from tui.models.resolve import ModelNotFound, names_repository, resolve
from tui.models.subject import Subject, subject_of
from tui.models.threads import in_daemon_thread

_SETTINGS = ("n_gpu_layers", "type_k", "type_v", "flash_attn", "n_ubatch", "swa_full", "n_cpu_moe", "panes")
"""Settings that have a flag of their own name, the context excepted: it may be given several times."""

_DRAFT_COUNTED = "The draft model is counted, but puna itself answers without one."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "model", metavar="MODEL", help="a path, a name that `puna ls` shows, org/repo:QUANT or an address"
    )
    parser.add_argument(
        "--n-ctx",
        type=tokens_or_auto,
        action="append",
        metavar="N",
        help="context in tokens (8k is 8192), or auto; several give a table by context",
    )
    parser.add_argument("--n-gpu-layers", type=number_or("auto", "all"), metavar="N", help="a number, all or auto")
    parser.add_argument("--type-k", metavar="T", help="type of the KV cache's keys, such as q8_0")
    parser.add_argument("--type-v", metavar="T", help="type of the KV cache's values")
    parser.add_argument("--flash-attn", metavar="on|off|auto", choices=get_args(FlashAttention), help="flash attention")
    parser.add_argument("--n-ubatch", type=int, metavar="N", help="tokens read at once (default 512)")
    parser.add_argument("--swa-full", action="store_true", default=None, help="keep sliding windows whole")
    parser.add_argument("--n-cpu-moe", type=int, metavar="N", help="layers whose experts stay in RAM")
    parser.add_argument("--panes", type=int, metavar="N", help="sequences that decode together (default 1)")
    parser.add_argument("--mmproj", metavar="FILE", help="count a projector, too: its GGUF file, auto or none")
    parser.add_argument("--draft-model", metavar="MODEL", help="count a draft model, too: a path or a library name")
    parser.add_argument(
        "--device",
        action="append",
        metavar="NAME=SIZE[@SPEED][:cuda|vulkan|metal]",
        help="a GPU of a machine that is not here, by its name (4090, A100-80) or with its memory and how"
        " fast that is read (big=48GiB@960GB/s); none for no GPU."
        " What is kept about layers, devices and threads here does not count then",
    )
    parser.add_argument("--ram", type=_size, metavar="SIZE", help="host memory of the described machine, such as 64GiB")
    parser.add_argument("--explain", action="store_true", help="say where each number comes from")
    parser.add_argument("--json", action="store_true", help="print the answer as JSON, a document a line")


def run(args: argparse.Namespace) -> int:
    """Answer. A verdict of "no" is an answer, too."""
    try:
        devices = described_devices(args.device) if args.device is not None else None
    except ValueError as error:
        say(f"puna fit: error: argument --device: {error}")
        return USAGE
    say_doubts(devices, args.ram)
    here, settings = configured()
    return run_until_signal(lambda: _answer(_Asked(here, settings, args, devices)))


@dataclass(frozen=True, slots=True)
class _Asked:
    paths: Paths
    settings: Settings
    args: argparse.Namespace
    devices: tuple[DeviceSpec, ...] | None
    """The described ones; None for those that are here."""

    @property
    def described(self) -> bool:
        return self.devices is not None or self.args.ram is not None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the model would lie, and what is known of it besides."""

    machine: Machine
    holders: tuple[Holder, ...] = ()
    notes: tuple[str, ...] = ()


async def _answer(asked: _Asked) -> int:
    fitting = Fitting(asked.paths)
    try:
        models = await asyncio.to_thread(scan, asked.paths, asked.settings.library.folders)
        subject = await _subject(asked, models)
        beside = _beside(asked.args, models)
        wishes = [_wished(asked, subject, {"n_ctx": n_ctx, **beside}) for n_ctx in asked.args.n_ctx or [None]]
        place = await _place(fitting, asked)
        reports = [await _report(fitting, asked, subject, wished, place) for wished in wishes]
    except (Refused, GgufError) as error:
        raise CommandError(str(error)) from error
    finally:
        await fitting.close()
    _print(asked.args, reports)
    return DONE


def _beside(args: argparse.Namespace, models: Sequence[Model]) -> dict[str, str | None]:
    """Paths of the files that were named to lie beside the model. Raises CommandError."""
    mmproj, draft = args.mmproj, None
    if mmproj and mmproj.strip() and mmproj not in ("auto", NO_PROJECTOR):
        mmproj = str(absolute(mmproj))
    if args.draft_model:
        try:
            draft = str(sound(resolve(args.draft_model, models)).path)
        except ModelNotFound as error:
            raise CommandError(f"draft_model: {error}") from error
    return {"mmproj": mmproj, "draft_model": draft}


async def _subject(asked: _Asked, models: Sequence[Model]) -> Subject:
    """The model on this disk, else the one on the Hub that was named. Raises CommandError, GgufError."""
    try:
        model = resolve(asked.args.model, models)
    except ModelNotFound as error:
        if not names_repository(asked.args.model):
            raise CommandError(str(error)) from error
        return await _remote(asked, str(error))
    return await asyncio.to_thread(subject_of, sound(model), headers_dir(asked.paths))


async def _remote(asked: _Asked, not_here: str) -> Subject:
    """Only the header travels; how much is shown while it does, on a terminal, and said with the answer."""
    cancel, show = threading.Event(), sys.stderr.isatty()

    def progress(done: int, needed: int) -> None:
        if show:
            print(f"\rheader {size(done)} of {size(needed)} or more ", end="", file=sys.stderr, flush=True)

    try:
        hub = connect(patience=Patience(tries=2))  # a person waits
        fetch = partial(remote_subject, hub, asked.args.model, asked.paths, progress=progress, cancel=cancel)
        found = await in_daemon_thread(fetch)
    except NotFound as error:
        raise CommandError(f"{not_here.partition(';')[0]}, and on the Hub: {error}") from error
    except HubError as error:
        raise CommandError(str(error)) from error
    finally:
        cancel.set()
        if show:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if found.reason:
        say(f"puna: {found.subject.name}: {found.reason}")
    return found.subject


def _wished(asked: _Asked, subject: Subject, given: Mapping[str, Any]) -> LoadSettings:
    """What is asked for, with these values `given` besides the flags of one name. Raises CommandError."""
    flags = {**given, **{name: getattr(asked.args, name) for name in _SETTINGS}}
    elsewhere = asked.devices is not None
    if asked.args.n_ubatch is not None:
        kept = asked_for(asked.paths, subject, asked.settings, {**flags, "n_ubatch": None}, elsewhere=elsewhere)
        flags["n_batch"] = max(asked.args.n_ubatch, kept.n_batch)
    return asked_for(asked.paths, subject, asked.settings, flags, elsewhere=elsewhere)


async def _place(fitting: Fitting, asked: _Asked) -> _Place:
    """This machine, cards that the installed llama.cpp cannot drive included, or the described one."""
    snapshot = await asyncio.to_thread(look, asked.paths)

    async def see() -> Seen:
        return await fitting.seen(snapshot, asked.settings, potential=True, without_gpus=asked.devices is not None)

    seen = await see()
    if asked.described:
        notes = (*seen.doubts, *seen.unused) if asked.devices is None else ()
        return _Place(described_machine(asked.devices, asked.args.ram, seen.machine), notes=notes)
    if seen.machine.host_bandwidth_bytes_s is None and not snapshot.engines and not asked.args.json:
        say("puna: measuring how fast this machine reads its memory; this is done once")
        with suppress(BandwidthError):  # a usual figure then stands for it
            await fitting.measure_memory(seen.machine)
        seen = await see()
    return _Place(seen.machine, holders(snapshot, seen), seen.notes)


async def _report(fitting: Fitting, asked: _Asked, subject: Subject, wished: LoadSettings, place: _Place) -> FitReport:
    given = [name for name in _SETTINGS if getattr(asked.args, name) is not None]
    wished, said = (wished, (_DRAFT_COUNTED,)) if asked.args.draft_model else engine_settings(wished)
    made = await fitting.plan(subject, wished, place.machine, asked.settings, may_move=may_move(wished, given))
    here, notes = not asked.described, (*said, *place.notes)
    report = await fitting.report(subject, made, place.machine, others=place.holders, notes=notes, here=here)
    return replace(report, last=last_load(fitting.loads, subject.identity)) if here else report


def _print(args: argparse.Namespace, reports: Sequence[FitReport]) -> None:
    if args.json:
        for report in reports:
            write_json(to_json(report))
        for sentence in dict.fromkeys(sentence for report in reports for sentence in beside_json(report)):
            say(f"puna: {sentence}")
    elif len(reports) > 1:
        show("\n".join(table_by_context(reports)))
    else:
        show("\n".join(report_lines(reports[0])))
    for report in reports if args.explain else ():
        (say if args.json else show)("\n".join(explained_lines(report, one_of_many=len(reports) > 1)))


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
