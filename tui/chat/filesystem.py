"""Whether a folder is on a file system that several machines share. Linux only; elsewhere the answer is no."""

from __future__ import annotations

import os
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
SHARED = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "lustre",
        "gpfs",
        "beegfs",
        "glusterfs",
        "orangefs",
        "pvfs2",
    }
    | {"panfs", "wekafs", "quobyte", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.juicefs", "fuse.moosefs"}
    | {"fuse.s3fs", "fuse.gcsfuse", "fuse.rclone"}
)
"""File system types, as mountinfo names them, that other machines may have mounted too."""


def is_shared(folder: Path, mounts: Path | None = None) -> bool:
    """True when `folder` is on a network file system, by the deepest mount above it."""
    try:
        table = (mounts or MOUNTS).read_text(encoding="utf-8", errors="surrogateescape")
        real = os.path.realpath(folder)
    except OSError:
        return False
    return _type_of(real, table) in SHARED


def _type_of(real: str, table: str) -> str:
    """File system type of the mount that holds `real` (format of the table: man 5 proc_pid_mountinfo)."""
    best, kind = -1, ""
    for line in table.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if len(fields) < 5 or not right:
            continue
        point = _unescaped(fields[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= best:  # a later mount on the same point covers the earlier one
            best, kind = len(point), right.split(" ", 1)[0]
    return kind


def _unescaped(point: str) -> str:
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point
