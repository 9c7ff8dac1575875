"""Machines for the monitor to draw, as snapshots made by hand, and their pictures."""

from __future__ import annotations

from tui.cli.meter.live import HINTS
from tui.engine.registry import RunningEngine
from tui.hardware.meter.frame import Scene, frame
from tui.hardware.meter.marks import UNICODE, Marks, text_of
from tui.hardware.meter.words import cells
from tui.hardware.snapshot import Cpu, Disk, Gpu, GpuProcess, Ram, Snapshot, Swap

GIB = 1 << 30

ENGINES = (
    RunningEngine(700001, "Qwen3-Coder-MoE-Instruct", 131072, 3174, 61.4),
    RunningEngine(700002, "smollm-demo", 200000, 199000, None),
)


def machine(count: int, *, lost: int | None = None, names: tuple[str, ...] = ("NVIDIA Alpha",)) -> Snapshot:
    """A machine with so many GPUs. Its figures are long, so that one of which a piece is missing is none of them."""
    return Snapshot(
        time=1.0,
        gpus=tuple(_gpu(index, names[index % len(names)], index == lost) for index in range(count)),
        ram=Ram(1511 * GIB, 1273 * GIB),
        swap=Swap(640 * GIB, 320 * GIB),
        cpu=Cpu(256, 192.0, 88),
        disk=Disk(4567 * GIB, 1357 * GIB),
    )


def _gpu(index: int, name: str, lost: bool) -> Gpu:
    if lost:
        return Gpu(
            index, f"GPU-{index}", name, "nvidia", error="lost: it has fallen off the bus; reset it (error 999999)"
        )
    held = (567 + index) * GIB
    return Gpu(
        index,
        f"GPU-{index}",
        name,
        "nvidia",
        total_bytes=789 * GIB,
        used_bytes=held,
        free_bytes=(789 - 567 - index) * GIB,
        utilization=100,
        temperature_c=91,
        power_w=1234.0,
        clock_mhz=1980,
        memory_clock_mhz=10501,
        processes=(
            GpuProcess(700001, "python", "ana", 234 * GIB, True),
            GpuProcess(800000 + index, "trainer", "ben", 123 * GIB, False),
            GpuProcess(900000 + index, None, None, None, False, foreign=True),
        ),
        unattributed_bytes=210 * GIB,
        cuda_visible=True,
        cuda_index=index,
    )


def picture(scene: Scene, width: int, height: int | None, marks: Marks = UNICODE) -> list[str]:
    """The lines as text, held to the size of the terminal."""
    lines = [text_of(line) for line in frame(scene, width, height, marks)]
    assert height is None or len(lines) <= height
    assert [line for line in lines if cells(line) > width] == []
    return lines


def scene_of(count: int, ticks: int = 60, **changes: object) -> Scene:
    """A machine that has been watched for a while."""
    scene = Scene(machine(count), ENGINES, hints=HINTS, state="by memory, every 1 s")
    for _ in range(ticks):
        scene.history.note(scene.snapshot)
    for name, value in changes.items():
        setattr(scene, name, value)
    return scene
