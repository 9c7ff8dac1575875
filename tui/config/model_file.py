"""`models.toml`: what is remembered for each model, as plain tables that the floors above give types to.

The program owns this file, so it is written anew each time, under a lock and merged with what other running copies
wrote. A broken file is read as empty, told of, and never written over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from tui.config.document import canonical, read_document
from tui.config.errors import ConfigError
from tui.config.files import locked, write_atomic
from tui.config.paths import Paths

_HEADER = (
    "# Settings of each model, written by puna. Stop puna before you edit this file by hand: comments are not kept.\n"
    "# Settings for all models are in config.toml beside it.\n\n"
)


def read_models(paths: Paths) -> tuple[dict[str, dict[str, Any]], tuple[ConfigError, ...]]:
    """Every model's table by its identity (repo and file, or name and size), and what is wrong. Never raises."""
    try:
        document = read_document(paths.models_file)
    except ConfigError as error:
        return {}, (error,)
    models = {name: table for name, table in document.table.items() if isinstance(table, dict)}
    problems = (
        ConfigError(
            "expects a table of settings, not a single value",
            file=paths.models_file,
            line=document.line_of(name),
            key=name,
            hint="Delete the line; until then it is not read.",
        )
        for name in document.table.keys() - models.keys()
    )
    return models, tuple(sorted(problems, key=lambda problem: problem.line or 0))


def update_model(paths: Paths, identity: str, changes: Mapping[str, Any]) -> None:
    """Set and (value None) delete keys of one model's table; its other keys and all other models stay as they are on
    disk at that moment. A table without keys is dropped.

    Values are what TOML can hold: text, numbers, booleans, lists and tables. Raises ConfigError for anything else, for
    a broken file and for a failed write; the file is then unchanged.
    """
    import tomli_w

    with locked(paths.models_file):
        document = read_document(paths.models_file)
        models = dict(document.table)
        table = models.get(identity, {})
        if not isinstance(table, dict):
            raise ConfigError(
                "expects a table of settings, not a single value",
                file=paths.models_file,
                line=document.line_of(identity),
                key=identity,
                hint="Delete the line; until then nothing is remembered for this model.",
            )
        merged = {key: value for key, value in {**table, **changes}.items() if value is not None}
        models[identity] = merged
        if not merged:
            del models[identity]
        if canonical(models) == canonical(document.table):
            return
        try:
            data = (_HEADER + tomli_w.dumps(models)).encode()
            tomllib.loads(data.decode())
        except (TypeError, ValueError, RecursionError) as error:
            raise ConfigError(
                f"cannot be written down: {error}",
                file=paths.models_file,
                key=identity,
                hint="The file is unchanged; the setting holds until puna is closed.",
            ) from error
        write_atomic(paths.models_file, data)
