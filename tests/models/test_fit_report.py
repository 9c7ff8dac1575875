"""The document of `fit --json`, as a value."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tui.fit.fixes import Fix
from tui.fit.shape import ModelShape
from tui.fit.speed import Speed
from tui.fit.values import DeviceSpec, Machine, Prediction
from tui.fit.verdict import assess
from tui.gguf.stripped import StrippedHeader
from tui.llama.receipt import DeviceBytes
from tui.llama.settings import LoadSettings
from tui.models.fit_report import FitReport, to_json
from tui.models.subject import Subject

GIB = 1 << 30
CARD = DeviceSpec(name="4090", description="RTX 4090", total_bytes=24 * GIB, free_bytes=20 * GIB, overhead_bytes=5)
MACHINE = Machine(devices=(CARD,), host_available_bytes=8 * GIB, cores=6)
PREDICTION = Prediction(
    devices=(DeviceBytes(name="4090", weights_bytes=1, context_bytes=2, compute_bytes=3),),
    host=DeviceBytes(name="host", weights_bytes=10, context_bytes=20, compute_bytes=30),
    output_bytes=40,
    source="dry-run",
    n_ctx=512,
    n_gpu_layers=3,
    flash_attn="off",
)


def report(settings: LoadSettings | None = None, **changes: Any) -> FitReport:
    shape = ModelShape(architecture="llama", n_layer=2, n_block=2, n_ctx_train=4096, file_bytes=99, parameters=7)
    subject = Subject("tiny", "tiny:99", "Q8_0", 7, shape, StrippedHeader(b"", 0, ""))
    values: dict[str, Any] = {
        "subject": subject,
        "settings": settings or LoadSettings(n_gpu_layers="all", n_ctx=500),
        "machine": MACHINE,
        "prediction": PREDICTION,
        "assessment": assess(PREDICTION, MACHINE, 2),
        **changes,
    }
    return FitReport(**values)


def test_the_document() -> None:
    document = to_json(report())
    assert list(document) == ["model", "settings", "devices", "host", "verdict", "source", "speed", "fixes"]
    assert document["model"] == {
        "name": "tiny",
        "architecture": "llama",
        "parameters": 7,
        "file_bytes": 99,
        "n_layer": 2,
        "n_ctx_train": 4096,
    }
    assert document["devices"] == [
        {
            "name": "4090",
            "description": "RTX 4090",
            "total_bytes": 24 * GIB,
            "free_bytes": 20 * GIB,
            "weights_bytes": 1,
            "context_bytes": 2,
            "compute_bytes": 3,
            "overhead_bytes": 5,
            "fits": True,
        }
    ]
    assert document["host"] == {
        "weights_bytes": 10,
        "context_bytes": 20,
        "compute_bytes": 30,
        "output_bytes": 40,
        "available_bytes": 8 * GIB,
        "fits": True,
    }
    assert (document["verdict"], document["source"], document["speed"], document["fixes"]) == (
        "gpu",
        "dry-run",
        None,
        [],
    )


def test_speed_and_fixes() -> None:
    speed = Speed(decode_tok_s=(1.23456, 7.0), source="roofline")
    fix = Fix(change="KV cache q8_0", settings=LoadSettings(), saves_bytes=12, cost="small quality cost")
    document = to_json(report(speed=speed, fixes=(fix,)))
    assert document["speed"] == {"decode_tok_s": [1.235, 7.0], "source": "roofline"}
    assert document["fixes"] == [{"change": "KV cache q8_0", "saves_bytes": 12, "cost": "small quality cost"}]


def test_nothing_in_the_settings_is_automatic() -> None:
    settings = to_json(report(LoadSettings(panes=2)))["settings"]
    assert "auto" not in settings.values()
    assert (settings["n_ctx"], settings["n_gpu_layers"], settings["flash_attn"]) == (512, 3, "off")
    assert (settings["n_seq_max"], settings["n_outputs_max"], settings["threads"]) == (2, 2, 6)
    expected = {field.name for field in msgspec.structs.fields(LoadSettings)} - {"panes"} | {
        "n_seq_max",
        "n_outputs_max",
    }
    assert settings.keys() == expected


def test_what_was_given_stays() -> None:
    settings = to_json(report(LoadSettings(flash_attn="on", threads=3, n_ctx=512)))["settings"]
    assert (settings["flash_attn"], settings["threads"]) == ("on", 3)


@pytest.mark.parametrize(("field", "key"), [("architecture", "architecture"), ("n_ctx_train", "n_ctx_train")])
def test_what_the_header_does_not_say_is_null(field: str, key: str) -> None:
    nothing: dict[str, Any] = {"architecture": "", "n_ctx_train": 0}
    shape = ModelShape(**{"architecture": "llama", "n_layer": 2, "n_ctx_train": 1, field: nothing[field]})
    subject = Subject("tiny", "tiny", None, None, shape, StrippedHeader(b"", 0, ""))
    model = to_json(report(subject=subject))["model"]
    assert model[key] is None
    assert model["parameters"] is None
