"""Machines as their /proc and /sys show them: one text file a machine, unpacked into a folder by a test.

Each file holds many small ones. `== PATH` begins one and its text follows; `== PATH -> TARGET` is a symbolic link.
"""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def unpack(name: str, folder: Path) -> None:
    """Write the machine of that name under `folder`, beside what is there."""
    head, lines = "", [""]
    for line in (FOLDER / f"{name}.tree").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            _write(folder, head, lines)
            head, lines = line[3:], []
        else:
            lines.append(line)
    _write(folder, head, lines)


def _write(folder: Path, head: str, lines: list[str]) -> None:
    if not head:
        # What stands above the first file says where the recording is from.
        return
    name, _, target = head.partition(" -> ")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if target:
        path.symlink_to(target)
    else:
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
