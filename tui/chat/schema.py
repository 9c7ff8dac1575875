"""The tables of the history file and the steps that bring an older file up to date.

A step that was released is never edited: a change is a new step at the end. All missing steps run in one transaction.
"""

from __future__ import annotations

APPLICATION_ID = 0x70756E61
"""SQLite's application_id of a history file: "puna"."""

_TABLES = (
    # AUTOINCREMENT: the id of a purged conversation or message never comes back as another one.
    # Nothing cascades: down a chain of replies that would run into SQLite's limit of 1000 nested triggers.
    """
    CREATE TABLE conversations (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        title TEXT NOT NULL,
        system TEXT NOT NULL,
        model TEXT NOT NULL,
        created REAL NOT NULL,
        updated REAL NOT NULL,
        leaf_id INTEGER REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED, -- each points at the other
        deleted REAL
    )
    """,
    # Long texts come last, so that the other columns are read without their overflow pages.
    """
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        conversation_id INTEGER NOT NULL REFERENCES conversations (id),
        parent_id INTEGER CHECK (parent_id IS NULL OR parent_id < id),
        role TEXT NOT NULL CHECK (role IN ('system', 'user', 'assistant')),
        model TEXT NOT NULL,
        created REAL NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('done', 'streaming', 'cut')),
        owner TEXT,
        reason TEXT,
        timings TEXT,
        error TEXT NOT NULL,
        thinking TEXT NOT NULL,
        content TEXT NOT NULL,
        UNIQUE (conversation_id, id),
        FOREIGN KEY (conversation_id, parent_id) REFERENCES messages (conversation_id, id)
    )
    """,
    # An answer's text while it streams: rows are only added, so the cost of a token does not grow with the answer.
    """
    CREATE TABLE chunks (
        message_id INTEGER NOT NULL REFERENCES messages (id),
        seq INTEGER NOT NULL,
        channel TEXT NOT NULL CHECK (channel IN ('answer', 'thinking')),
        text TEXT NOT NULL,
        PRIMARY KEY (message_id, seq)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX conversations_by_update ON conversations (updated)",
    "CREATE INDEX messages_by_parent ON messages (conversation_id, parent_id, id)",
    "CREATE INDEX messages_streaming ON messages (owner) WHERE state = 'streaming'",
)


def _search_over(table: str, column: str) -> tuple[str, ...]:
    """An FTS5 index named <table>_search over one column, kept in step by triggers, filled from what is there."""
    index = f"{table}_search"
    remove = f"INSERT INTO {index} ({index}, rowid, {column}) VALUES ('delete', old.id, old.{column});"
    add = f"INSERT INTO {index} (rowid, {column}) VALUES (new.id, new.{column});"
    return (
        f"CREATE VIRTUAL TABLE {index} USING fts5 ({column}, content = '{table}', content_rowid = 'id', "
        "tokenize = 'unicode61 remove_diacritics 2')",
        f"CREATE TRIGGER {index}_insert AFTER INSERT ON {table} BEGIN {add} END",
        f"CREATE TRIGGER {index}_delete AFTER DELETE ON {table} BEGIN {remove} END",
        f"CREATE TRIGGER {index}_update AFTER UPDATE OF {column} ON {table} BEGIN {remove} {add} END",
        f"INSERT INTO {index} ({index}) VALUES ('rebuild')",
    )


_ORDER = (
    "ALTER TABLE conversations ADD COLUMN pinned REAL",
    "ALTER TABLE conversations ADD COLUMN archived REAL",
    "ALTER TABLE conversations ADD COLUMN draft TEXT NOT NULL DEFAULT ''",
    # What the model is not sent any more: messages up to this one, for which the summary stands.
    "ALTER TABLE conversations ADD COLUMN left_out_to INTEGER",
    "ALTER TABLE conversations ADD COLUMN summary TEXT NOT NULL DEFAULT ''",
    # All messages of a deleted branch carry the moment of its deletion: restoring one is finding its like.
    "ALTER TABLE messages ADD COLUMN deleted REAL",
    "CREATE INDEX messages_deleted ON messages (deleted) WHERE deleted IS NOT NULL",
    """
    CREATE TABLE tags (
        conversation_id INTEGER NOT NULL REFERENCES conversations (id),
        tag TEXT NOT NULL,
        PRIMARY KEY (conversation_id, tag)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tags_by_name ON tags (tag)",
)
"""What keeps many conversations in order, and what can be taken back."""

_VOTES = (
    # The answers may be purged: what was voted counts for the models all the same.
    """
    CREATE TABLE votes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        created REAL NOT NULL,
        use_case TEXT NOT NULL,
        left_model TEXT NOT NULL,
        right_model TEXT NOT NULL,
        left_id INTEGER NOT NULL,
        right_id INTEGER NOT NULL,
        winner TEXT NOT NULL CHECK (winner IN ('left', 'right', 'tie')),
        blind INTEGER NOT NULL
    )
    """,
)
"""Which of two answers was found better."""
_PRESETS = (
    # JSON of the preset that was chosen, {"name", "sampling"}; its system prompt has a column of its own.
    "ALTER TABLE conversations ADD COLUMN preset TEXT NOT NULL DEFAULT ''",
    # Counts the messages of a conversation without reading them.
    "CREATE INDEX messages_kept ON messages (conversation_id) WHERE deleted IS NULL",
)
"""How a conversation is answered, and what makes a long list of them quick."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _TABLES,
    (*_search_over("messages", "content"), *_search_over("conversations", "title")),
    _ORDER,
    _VOTES,
    _PRESETS,
)
"""MIGRATIONS[n] are the statements that turn format n into format n + 1; format 0 is an empty file."""

FORMAT = len(MIGRATIONS)
"""Format of a history file that this puna reads and writes (SQLite's user_version)."""

TABLES = frozenset({"conversations", "messages", "chunks", "tags", "votes"})
SEARCH_TABLES = frozenset({"messages_search", "conversations_search"})
