"""Fixtures that several packages' tests share: the real demo model, small models made once a session, an engine's
folder.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.rigs.demo import demo_model as find_demo_model
from tests.rigs.gguf_maker import scripted_model, tiny_model

# Under nohup, or in the background of a shell, these are ignored, and every program that a test starts would inherit
# that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


# Nothing is timed in tests, and where everybody is to see the same result, everybody sees the same examples.
settings.register_profile(
    "puna", deadline=None, derandomize="CI" in os.environ, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("puna")


@pytest.fixture(scope="session")
def demo_model() -> Path:
    """The real small model (SmolLM2-135M-Instruct); it is read in place and must not be changed."""
    return find_demo_model()


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the models of this session are made; tests that change a file copy it first."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def tiny_llama(models_dir: Path) -> Path:
    """A dense model with random weights and the ChatML template; loads in milliseconds and never ends by itself."""
    return tiny_model(models_dir / "tiny-llama.gguf")


@pytest.fixture(scope="session")
def speaking_model(models_dir: Path) -> Path:
    """A model that answers "fish, 漢🌍" byte by byte, whatever it is asked, and ends."""
    return scripted_model(models_dir / "speaking.gguf", "fish, 漢🌍")


@pytest.fixture
def engines_dir(tmp_path: Path) -> Path:
    """The folder in which this test's engines are listed."""
    return tmp_path / "engines"
