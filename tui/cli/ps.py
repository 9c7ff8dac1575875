"""`puna ps`: the engines of this user that run now."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from tui.cli.main import DONE, say
from tui.cli.output import show, write_json
from tui.config.paths import paths
from tui.engine.registry import RunningEngine, running
from tui.hardware.meter.words import cells, pad


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--json", action="store_true", help="print them as JSON")


def run(args: argparse.Namespace) -> int:
    """Print one row an engine."""
    engines = running(paths().engines_dir)
    if args.json:
        write_json([asdict(engine) for engine in engines])
    elif engines:
        show("\n".join(_table(engines)))
    else:
        say("No engine is running.")
    return DONE


def _table(engines: tuple[RunningEngine, ...]) -> list[str]:
    name_width = max(5, *(cells(engine.model) for engine in engines))
    lines = [f"{'PID':>8}  {'MODEL':<{name_width}}  {'CONTEXT':>17}  {'TOK/S':>6}"]
    for engine in engines:
        rate = "–" if engine.decode_tok_s is None else f"{engine.decode_tok_s:.1f}"
        context = f"{engine.n_ctx_used} of {engine.n_ctx}"
        lines.append(f"{engine.pid:>8}  {pad(engine.model, name_width, '')}  {context:>17}  {rate:>6}")
    return lines
