"""Names that a person types: short, unique, and the same whatever order files are found in."""

from __future__ import annotations

import itertools
from pathlib import Path

from tui.library.model import Model, Source
from tui.library.naming import named


def model(path: str, repo: str | None = None, source: Source = "folder") -> Model:
    file = Path(path)
    return Model("", file, repo, file.name, None, None, 1, 1, source)


def test_the_stem_is_enough_for_most() -> None:
    models = named([model("/m/Qwen3-8B-Q4_K_M.gguf"), model("/m/big-00001-of-00004.gguf")])
    assert [m.name for m in models] == ["big", "Qwen3-8B-Q4_K_M"]


def test_repositories_and_folders_tell_equals_apart() -> None:
    same = [model("/x/a/model.gguf"), model("/x/b/MODEL.gguf"), model("/h/model.gguf", "org/name", "hf-cache")]
    for order in itertools.permutations([*same, model("/x/other.gguf")]):
        assert [m.name for m in named(order)] == ["a/model", "b/MODEL", "org/name/model", "other"]


def test_the_path_tells_apart_what_nothing_else_does() -> None:
    models = named([model("/x/a/model.gguf"), model("/y/a/model.gguf")])
    assert [m.name for m in models] == ["/x/a/model.gguf", "/y/a/model.gguf"]


def test_paths_that_print_alike_are_numbered() -> None:
    models = named([model("/x/a\udcff/m.gguf"), model("/x/a\udcfe/m.gguf"), model("/x/a\udcfd/m.gguf")])
    assert len({m.name for m in models}) == 3
    assert models[-1].name.endswith("(3)")


def test_the_demo_keeps_its_name() -> None:
    models = named([model("/d/whatever.gguf", source="demo"), model("/x/smollm2-demo.gguf")])
    assert {m.source: m.name for m in models} == {"demo": "smollm2-demo", "folder": "x/smollm2-demo"}


def test_a_name_without_anything_printable() -> None:
    assert named([model("/x/\x01\x02.gguf")])[0].name == "unnamed"
