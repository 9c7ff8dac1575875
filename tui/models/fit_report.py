"""What `puna fit` and the load panel show of one model with one set of settings, and its JSON. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from tui.fit.fixes import Fix
from tui.fit.receipts import LoadRecord
from tui.fit.speed import Speed
from tui.fit.values import Machine, Prediction
from tui.fit.verdict import Assessment
from tui.llama.settings import NO_PROJECTOR, FlashAttention, LoadSettings
from tui.models.subject import Subject


@dataclass(frozen=True, slots=True)
class FitReport:
    """The answer."""

    subject: Subject
    settings: LoadSettings
    """Resolved: nothing is "auto"."""
    machine: Machine
    prediction: Prediction
    assessment: Assessment
    speed: Speed | None = None
    fixes: tuple[Fix, ...] | None = None
    """None while nobody has looked for any."""
    said: tuple[str, ...] = ()
    """What is less than was asked for, and what else is worth knowing, in sentences."""
    last: LoadRecord | None = None
    """The last load of this model here."""
    full_speed: Speed | None = None
    """The speed when the context is full, where there is one."""
    here: bool = True
    """False for a machine that is described."""

    @property
    def may_be_better(self) -> bool:
        """True where a change could make it fit, or bring all of it to the GPUs."""
        verdict = self.assessment.verdict
        return verdict == "no" or (verdict != "gpu" and bool(self.machine.devices))

    @property
    def flash_attn(self) -> Literal["on", "off"]:
        """Whether flash attention is used, "auto" decided."""
        return self.prediction.flash_attn if self.settings.flash_attn == "auto" else self.settings.flash_attn


_OF_DEVICE = (
    "name", "description", "total_bytes", "free_bytes",
    "weights_bytes", "context_bytes", "compute_bytes", "overhead_bytes", "fits",
)  # fmt: skip
_OF_HOST = ("weights_bytes", "context_bytes", "compute_bytes", "output_bytes", "available_bytes", "fits")
"""Keys of `fit --json`, which are called so here, too."""


def to_json(report: FitReport) -> dict[str, Any]:
    """The document of `fit --json`: these keys are a contract."""
    subject, assessment, speed = report.subject, report.assessment, report.speed
    return {
        "model": {
            "name": subject.name,
            "architecture": subject.shape.architecture or None,
            "parameters": subject.parameters,
            "file_bytes": subject.shape.file_bytes,
            "n_layer": subject.shape.n_layer,
            "n_ctx_train": subject.shape.n_ctx_train or None,
        },
        "settings": resolved(
            report.settings,
            n_ctx=report.prediction.n_ctx,
            n_gpu_layers=report.prediction.n_gpu_layers,
            flash_attn=report.flash_attn,
            threads=report.machine.cores or 1,
        ),
        "devices": [{key: getattr(device, key) for key in _OF_DEVICE} for device in assessment.devices],
        "host": {key: getattr(assessment.host, key) for key in _OF_HOST},
        "verdict": assessment.verdict,
        "source": report.prediction.source,
        "speed": None
        if speed is None
        else {"decode_tok_s": [round(rate, 3) for rate in speed.decode_tok_s], "source": speed.source},
        "fixes": [
            {"change": fix.change, "saves_bytes": fix.saves_bytes, "cost": fix.cost} for fix in report.fixes or ()
        ],
    }


def resolved(
    settings: LoadSettings, *, n_ctx: int, n_gpu_layers: int, flash_attn: FlashAttention, threads: int
) -> dict[str, Any]:
    """`settings` with every value that a load has: numbers, padded, and nothing automatic. `threads` is what "auto"
    comes to.
    """
    plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.asdict(settings))
    panes = plain.pop("panes")
    return {
        **plain,
        "mmproj": settings.projector or NO_PROJECTOR,
        "n_gpu_layers": n_gpu_layers,
        "n_ctx": n_ctx,
        "flash_attn": flash_attn,
        "threads": settings.threads if isinstance(settings.threads, int) else threads,
        "n_seq_max": panes,
        "n_outputs_max": panes,
    }
