"""What a model's header says beyond the list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs.gguf_maker import plain_gguf, tiny_model
from tui.library import entry_for
from tui.library.details import TensorSum, details_of


def test_the_template_is_there_as_it_is_however_long(tmp_path: Path) -> None:
    template = "{# " + "x" * 9000 + " #}\n{{ messages }}"
    details = details_of(entry_for(tiny_model(tmp_path / "m.gguf", chat_template=template, shards=2)))
    assert details.template == template
    assert details.title == "tiny llama"
    assert details_of(entry_for(tiny_model(tmp_path / "plain.gguf", chat_template=None))).template is None


def test_tensors_are_summed_by_type_the_largest_first(tmp_path: Path) -> None:
    first = entry_for(tiny_model(tmp_path / "m.gguf", quant="Q8_0", shards=2))
    tensors = details_of(first).tensors
    assert [each.type for each in tensors] == ["Q8_0", "F32"]
    assert sum(each.n_bytes for each in tensors) < first.file_bytes
    assert all(isinstance(each, TensorSum) and each.count > 0 for each in tensors)


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ({}, None),
        ({"general.license": "apache-2.0", "general.license.name": "Apache"}, "apache-2.0"),
        ({"general.license": "other", "general.license.name": "gemma"}, "gemma"),
        ({"general.license": "other"}, "other"),
        ({"general.license.name": "gemma\x1b[31m"}, "gemma"),
    ],
)
def test_a_licence_that_has_no_short_name_is_called_as_its_makers_do(
    tmp_path: Path, metadata: dict[str, str], licence: str | None
) -> None:
    file = plain_gguf(tmp_path / "m.gguf", metadata, tensors={"t": (4, 4)})
    assert details_of(entry_for(file)).licence == licence
