"""A certificate of 127.0.0.1 with its key, made when a test needs it: no key lies in the repository."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

_MAKE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
    "-addext subjectAltName=IP:127.0.0.1 -keyout - -out -"
)


@cache
def certificate() -> Path:
    """The file with both, the same for the whole run. Skips where there is no `openssl` to make one."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl command, which makes the certificate of a server here")
    made = subprocess.run(_MAKE.split(), capture_output=True, check=True)
    folder = mkdtemp(prefix="puna-certificate-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = Path(folder) / "loopback.pem"
    file.touch(mode=0o600)
    file.write_bytes(made.stdout)
    return file
