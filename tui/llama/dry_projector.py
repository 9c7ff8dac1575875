"""The dry run of a projector: llama.cpp's mtmd lays it out without its weights. Child processes only.

It can end the process it runs in, as the dry run of a model can. What it computes with is really allocated in host
memory for a moment, and never touched.
"""

from __future__ import annotations

import os

from tui.llama.breakdown import projector_bytes
from tui.llama.devices import Device
from tui.llama.dry_question import HeaderBytes
from tui.llama.errors import LlamaError
from tui.llama.hollow import hollow_file
from tui.llama.projector import load_mtmd
from tui.llama.standin import StandIns


def lay_out_projector(header: HeaderBytes, device: Device | None, stand_ins: StandIns) -> dict[str | None, int] | None:
    """Bytes by device (None is the host) of a projector on `device`, or on the host without one; None where that cannot
    be read. `stand_ins` are told what comes where the device is one of them. Raises LlamaError for what mtmd refuses.
    """
    try:
        mtmd = load_mtmd()
    except LlamaError:
        return None
    params = mtmd.mtmd_context_params_default()
    params.print_timings, params.n_threads = False, 1
    params.use_gpu, params.device = device is not None, device.handle if device is not None else None
    stand_ins.expect_several_graphs()
    with hollow_file(header.data, header.data_bytes) as path:
        found = projector_bytes(mtmd._libmtmd, os.fsencode(path), params)
    if found is not None and not any(found.values()):  # what it raises is caught by llama.cpp, and answered so
        raise LlamaError("load", "llama.cpp cannot load this projector; get the one that was published with the model")
    return found
