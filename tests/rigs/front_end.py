"""A front end without a screen, as a process of its own that tests kill, starve or put into odd places.

`python -m tests.rigs.front_end WHAT MODEL ENGINES_DIR [options]` prints one JSON line an event and then does as told:
`ask` prints the answer or the error, `load` and `generate` say when they are there and go on until they are killed,
`leave` ends by itself without closing its engine.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import json
import os
import resource
from pathlib import Path

from tui.engine.client import Engine, EngineDied, EngineError
from tui.engine.protocol import Delta
from tui.llama.settings import LoadSettings, SamplingSettings

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["ask", "load", "generate", "leave"])
    parser.add_argument("model", type=Path)
    parser.add_argument("engines_dir", type=Path)
    parser.add_argument("--n-ctx", type=int, default=512)
    parser.add_argument("--cgroup", type=Path, help="a memory cgroup to move into first")
    parser.add_argument("--python-path", help="a folder in which the engine looks for modules first")
    parser.add_argument("--address-space", type=int, help="bytes that each process may ask for")
    parser.add_argument("--obey-permissions", action="store_true", help="root reads everything otherwise")
    arguments = parser.parse_args()
    if arguments.obey_permissions:
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    if arguments.address_space:
        resource.setrlimit(resource.RLIMIT_AS, (arguments.address_space, arguments.address_space))
    if arguments.cgroup is not None:
        (arguments.cgroup / "cgroup.procs").write_text(str(os.getpid()))
    if arguments.python_path:
        os.environ["PYTHONPATH"] = arguments.python_path
    try:
        asyncio.run(_run(arguments))
    except EngineError as error:
        died = {"signal": error.signal, "meaning": error.meaning} if isinstance(error, EngineDied) else {}
        _tell(error=error.message, kind=error.kind, hint=error.hint, log=error.log, **died)


async def _run(arguments: argparse.Namespace) -> None:
    settings = LoadSettings(n_ctx=arguments.n_ctx, n_gpu_layers=0, threads=1)
    # A victim of the kernel that gets no time to end in is passed over, and the next one is ended too: this process.
    niceness = {"nice": 0} if arguments.cgroup is not None else {}
    engine = await Engine.start(
        arguments.model,
        settings,
        name="front end's",
        on_progress=(lambda share: _tell(loading=share)) if arguments.what == "load" else None,
        engines_dir=arguments.engines_dir,
        **niceness,
    )
    _tell(engine=engine.pid)
    if arguments.what == "leave":
        return
    text = ""
    endless = arguments.what == "generate"
    sampling = SamplingSettings(temperature=0)
    generation = engine.generate(prompt="one two", sampling=sampling, max_tokens=None if endless else 4)
    async for event in generation:
        if isinstance(event, Delta):
            text += event.text
            if endless:
                _tell(delta=event.text)
    _tell(answer=text)
    await engine.close()


def _tell(**event: object) -> None:
    print(json.dumps(event), flush=True)


if __name__ == "__main__":
    main()
