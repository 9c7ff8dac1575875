"""Measures the CPU as ggml's device, the one that is everywhere, and prints one JSON line. A process of its own."""

from __future__ import annotations

import json
import sys

from tui.llama import bandwidth, binding
from tui.llama.devices import Device


def main() -> None:
    """argv[1]: MiB that are said to be free on it."""
    binding.start_backend()
    handle = binding.dev_by_name(b"CPU")
    free = int(sys.argv[1]) << 20
    print(json.dumps(bandwidth.measured(Device("CPU", "the processor", free, free, handle))))


if __name__ == "__main__":
    main()
