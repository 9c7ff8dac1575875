"""What can go wrong with an engine, as a front end sees it."""

from __future__ import annotations

from tui.engine.protocol import Failed, FailedKind
from tui.process.death import signal_of


class EngineError(Exception):
    """A request that could not be carried out; the engine itself lives on unless this is an EngineDied."""

    def __init__(self, kind: FailedKind, message: str, hint: str = "", log: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.kind: FailedKind = kind
        self.message = message
        """What happened, to which file or setting."""
        self.hint = hint
        """What the person can do now; may be empty."""
        self.log = log
        """Last lines of llama.cpp's log."""

    @classmethod
    def of(cls, event: Failed) -> EngineError:
        """The error that a Failed event tells of."""
        return cls(event.kind, event.message, event.hint, event.log)


class EngineDied(EngineError):
    """The engine process ended. A new one can be started at once."""

    def __init__(self, what: str, returncode: int, why: str, log: tuple[str, ...], hint: str = "") -> None:
        """`what` is what it was doing, `why` the return code's meaning; `hint` where a smaller load is no help."""
        super().__init__("died", f"the engine stopped while {what}: {why}", hint or _HINT, log)
        self.returncode = returncode
        self.signal = signal_of(returncode)
        """The signal that ended it, or None."""
        self.meaning = why


OTHER_PROJECTOR = "get the projector again, or set mmproj to none"
_HINT = "reload it; if it happens again use a smaller n_ctx, fewer GPU layers or another file"
