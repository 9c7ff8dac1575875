"""Short ways to ask a dry run."""

from __future__ import annotations

from typing import Any

from tui.fit.values import DeviceSpec, Machine, Prediction, Profile
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings

GIB = 1 << 30
NO_GPU = Machine()


def settings(**changes: Any) -> LoadSettings:
    """All layers on devices where there are any, 1024 tokens."""
    return LoadSettings(**{"n_gpu_layers": "all", "n_ctx": 1024, **changes})


def machine(*sizes_gib: float, profile: Profile = "cuda") -> Machine:
    """Devices CUDA0, CUDA1… of these sizes, all free."""
    sizes = [int(size * GIB) for size in sizes_gib]
    return Machine(
        devices=tuple(
            DeviceSpec(name=f"CUDA{i}", description=f"card {i}", total_bytes=size, free_bytes=size, profile=profile)
            for i, size in enumerate(sizes)
        )
    )


def estimate(asked: LoadSettings, on: Machine) -> Prediction:
    """Stands for the closed form: recognisable numbers."""
    return Prediction(
        devices=tuple(DeviceBytes(name=device.name) for device in on.devices),
        host=DeviceBytes(name="host", weights_bytes=4711),
        source="estimate",
        n_ctx=asked.n_ctx if isinstance(asked.n_ctx, int) else 0,
        n_gpu_layers=0,
        spread=0.1,
    )
