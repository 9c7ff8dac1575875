"""Where puna keeps its files, and where the files it is shipped with lie.

Every command asks here first, so importing this module must stay cheap: the standard library only, and platformdirs not
before a path is asked for without PUNA_HOME. Nothing is created here; whoever writes a file makes its folder.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tui.config.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """The four folders of one person's puna, and the files in them. All absolute; any of them may not exist yet."""

    config: Path
    """What the person chose: settings, per-model settings, themes."""
    data: Path
    """What the person made: conversations, remembered models, the queue of downloads."""
    cache: Path
    """What can be worked out again; deleting it loses speed only."""
    state: Path
    """What belongs to running programs: logs, engines."""

    @property
    def config_file(self) -> Path:
        """The person's settings; read and edited by `tui.config.settings`."""
        return self.config / "config.toml"

    @property
    def models_file(self) -> Path:
        """Per-model settings, owned by the program; see `tui.config.model_file`."""
        return self.config / "models.toml"

    @property
    def user_themes_dir(self) -> Path:
        """Themes that the person added."""
        return self.config / "themes"

    @property
    def presets_dir(self) -> Path:
        """Presets that the person added."""
        return self.config / "presets"

    @property
    def history_file(self) -> Path:
        """Conversations (SQLite)."""
        return self.data / "history.db"

    @property
    def library_file(self) -> Path:
        """Files and folders remembered by `puna add`."""
        return self.data / "library.json"

    @property
    def downloads_file(self) -> Path:
        """The queue of downloads."""
        return self.data / "downloads.json"

    @property
    def engines_dir(self) -> Path:
        """One small file for each engine process that runs."""
        return self.state / "engines"

    @property
    def states_dir(self) -> Path:
        """What engines' contexts hold of conversations that are not shown."""
        return self.cache / "states"

    @property
    def log_file(self) -> Path:
        """The program's log; rotated."""
        return self.state / "puna.log"


def paths(environ: Mapping[str, str] | None = None) -> Paths:
    """The places for this person: all under PUNA_HOME when `environ` (default: this process's) sets it, otherwise the
    platform's own (on Linux XDG, read from this process's environment).

    Raises ConfigError when no absolute place can be found, as for a user without a home folder.
    """
    home = (os.environ if environ is None else environ).get("PUNA_HOME", "")
    if home:
        root = Path(os.path.expanduser(home)).absolute()  # noqa: PTH111 - Path.expanduser raises for an unknown user
        return Paths(config=root / "config", data=root / "data", cache=root / "cache", state=root / "state")
    from platformdirs import PlatformDirs

    dirs = PlatformDirs("puna", appauthor=False)
    found: tuple[Path, ...] = ()
    try:
        found = (dirs.user_config_path, dirs.user_data_path, dirs.user_cache_path, dirs.user_state_path)
    except RuntimeError:
        pass  # newer platformdirs refuse by themselves; told below
    # Older platformdirs answer "~/.config/puna" for a user without a home, which would lie below the current folder.
    if not found or not all(folder.is_absolute() for folder in found):
        raise ConfigError(
            "this user has no home folder, so puna does not know where to keep its files",
            hint="Set PUNA_HOME (or HOME) to a folder that you can write to.",
        )
    return Paths(*found)


def share(name: str) -> Path:
    """A shipped file or folder (`themes`, `config.example.toml`), inside the package when that came from a wheel and at
    the top of the repository in a checkout. It is not checked that it exists."""
    installed = _PACKAGE / "_share"
    return (installed if installed.is_dir() else _PACKAGE.parent) / name
