"""Says what the installed llama.cpp is: `python -m tui.llama.probe` prints one JSON line. A process of its own."""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys


def main() -> None:
    """Print {"version", "gpu_offload", "devices", "system_info"}; native code's own printing goes nowhere."""
    out = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    from tui.llama.binding import L
    from tui.llama.devices import gpu_devices
    from tui.llama.log import NativeLog

    log = NativeLog()
    log.install()
    answer = {
        "version": importlib.metadata.version("llama-cpp-python"),
        "gpu_offload": bool(L.llama_supports_gpu_offload()),
        "devices": [
            {
                "name": device.name,
                "description": device.description,
                "total_bytes": device.total_bytes,
                "free_bytes": device.free_bytes,
            }
            for device in gpu_devices()
        ],
        "system_info": L.llama_print_system_info().decode("utf-8", "replace"),
    }
    os.write(out, json.dumps(answer).encode() + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
