"""Prints what tui.llama makes of settings: the C structs as native code would get them, read back field by field.

Run as `python -m tests.rigs.show_params` (a process of its own: llama.cpp is loaded) with a JSON list of settings on
standard input; one JSON line each, {"model": …, "context": …} or {"setting": …, "error": …}. The first line is about
the build: its devices and whether it has AMX kernels.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

import msgspec

from tui.llama.binding import L, buft_name
from tui.llama.devices import gpu_devices
from tui.llama.params import context_params, has_amx, model_params
from tui.llama.settings import LoadSettings, SettingsError

THREADS = 3


class Override(ctypes.Structure):
    """llama_model_tensor_buft_override, declared here again: a mistake in the other place must show."""

    _fields_ = (("pattern", ctypes.c_char_p), ("buft", ctypes.c_void_p))


def main() -> None:
    """Show each of the settings."""
    devices = [device.name for device in gpu_devices()]
    print(json.dumps({"devices": devices, "amx": has_amx(), "max_devices": L.llama_max_devices()}))
    for document in json.load(sys.stdin):
        settings = msgspec.convert(document, LoadSettings)
        shown: dict[str, Any]
        try:
            made = model_params(settings)
            shown = {"model": _model(made.params), "context": _numbers(context_params(settings, threads=THREADS))}
        except SettingsError as error:
            shown = {"setting": error.setting, "error": str(error)}
        print(json.dumps(shown))


def _model(params: Any) -> dict[str, Any]:
    shown = _numbers(params)
    shown["tensor_split"] = params.tensor_split[: L.llama_max_devices()] if params.tensor_split else None
    shown["overrides"] = _overrides(params.tensor_buft_overrides)
    return shown


def _overrides(address: int | None) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    while address:
        entry = Override.from_address(address + len(found) * ctypes.sizeof(Override))
        if entry.pattern is None:
            break
        found.append((entry.pattern.decode(), buft_name(entry.buft).decode()))
    return found


def _numbers(struct: Any) -> dict[str, Any]:
    values = {name: getattr(struct, name) for name, *_ in struct._fields_}
    return {name: value for name, value in values.items() if isinstance(value, bool | int | float)}


if __name__ == "__main__":
    main()
