"""One connection to the history file: short transactions, and every failure as a StoreError.

It knows nothing of conversations. A connection belongs to the thread that opened it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.chat import failures
from tui.chat.errors import StoreError
from tui.chat.filesystem import is_shared

BUSY_S = 5.0
"""How long a statement waits for another process's transaction, in seconds."""
WAL_KEEP_BYTES = 16 << 20
"""A write-ahead log that grew beyond this is cut back after a checkpoint."""

Row = tuple[Any, ...]


class Database:
    """A SQLite connection with this package's rules; `path` None keeps everything in memory."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        with self._told():
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=BUSY_S, isolation_level=None
            )

    def configure(self) -> None:
        """Set what is needed to write. Kept apart from connecting, so that a file can be looked at without a change."""
        self.execute("PRAGMA foreign_keys = ON")
        if self.path is None:
            return
        # A write-ahead log lives in memory shared by its users, so it cannot work between machines.
        wanted = "truncate" if is_shared(self.path.parent) else "wal"
        if self.value("PRAGMA journal_mode") != wanted:
            self.execute(f"PRAGMA journal_mode = {wanted}")
        # With a write-ahead log, NORMAL keeps every commit through a kill of the process; only a power cut can
        # take the last ones, and never the soundness of the file.
        self.execute("PRAGMA synchronous = NORMAL")
        self.execute(f"PRAGMA journal_size_limit = {WAL_KEEP_BYTES}")

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one statement; the number of rows that it changed, -1 when it changes none by nature."""
        with self._told():
            return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, values: Sequence[object]) -> int:
        """Run one INSERT; the id of the new row."""
        with self._told():
            row_id = self._connection.execute(sql, values).lastrowid
        assert row_id is not None
        return row_id

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with self._told():
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a query, or None."""
        with self._told():
            found: Row | None = self._connection.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, values)
        return None if found is None else found[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what is inside. The write lock is taken first, so that nothing inside fails for want of
        it; inside another transaction this one is part of it."""
        if self._connection.in_transaction:
            yield
            return
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    def close(self) -> None:
        """Close; SQLite folds the write-ahead log in when this is the last connection."""
        with self._told():
            self._connection.close()

    def _roll_back(self) -> None:
        if not self._connection.in_transaction:  # SQLite has already done so, as on a full disk
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # the error that led here says more

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            told = failures.from_sqlite(error, self.path)
            if told.kind == "damaged" and self.path is not None:
                suspect(self.path)
            raise told from error
        except OverflowError as error:  # an id beyond 64 bits
            raise StoreError("missing", "there is no message or conversation of that number", path=self.path) from error


def suspect_file(path: Path) -> Path:
    """The file whose presence asks the next start to check the whole history."""
    return path.with_name(f"{path.name}.check")


def suspect(path: Path) -> None:
    """Leave word for the next start. A check of the whole file takes too long for every start."""
    try:
        suspect_file(path).touch()
    except OSError:
        pass  # the person has been told; damage will be found again
