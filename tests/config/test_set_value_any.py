"""Any change to any settings file, laid out in any order and with comments anywhere, keeps everything else."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.patience import patient
from tui.config.fields import sections_of
from tui.config.paths import paths
from tui.config.settings import Settings, set_value

COMMENTS = st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), max_size=12)
TEXTS = st.text(max_size=20).filter(lambda text: "\udfff" not in text)
FIELDS = [field for section in sections_of(Settings).values() for field in section.fields.values()]


@st.composite
def config_texts(draw: st.DrawFn) -> str:
    """A settings file as people write them: tables in any order, comments and blank lines anywhere."""
    lines: list[str] = []
    for section in draw(st.permutations(list(sections_of(Settings).values()))):
        if not draw(st.booleans()):
            continue
        lines += [f"#{draw(COMMENTS)}"] * draw(st.integers(0, 1)) + [f"[{section.name}] #{draw(COMMENTS)}"]
        for field in draw(st.permutations(list(section.fields.values()))):
            if draw(st.booleans()):
                default = list(field.default) if isinstance(field.default, tuple) else field.default
                value = str(default).lower() if isinstance(default, bool) else repr(default)
                if isinstance(default, list) and draw(st.booleans()):
                    value = f"[ #{draw(COMMENTS)}\n 'a', #{draw(COMMENTS)}\n\n 'b'\n ]"
                lines.append(f"{' ' * draw(st.integers(0, 2))}{field.name}={value} #{draw(COMMENTS)}")
            lines += [""] * draw(st.integers(0, 1)) + [f"  #{draw(COMMENTS)}"] * draw(st.integers(0, 1))
    return "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n"]))


def comments_of(text: str) -> list[str]:
    return [line.partition("#")[2] for line in text.split("\n") if "#" in line]


CHANGES = st.one_of(
    st.tuples(st.just("chat.system"), TEXTS.filter(lambda text: "#" not in text)),
    st.tuples(st.just("load.n_ctx"), st.integers(1, 10**6).map(str)),
    st.tuples(st.just("ui.mouse"), st.sampled_from(["true", "false"])),
    st.tuples(st.just("load.devices"), st.lists(st.sampled_from(["a", "b", "CUDA0"]), unique=True).map(",".join)),
    st.tuples(st.just("chat.temperature"), st.floats(0, 2).map(repr)),
    st.tuples(st.sampled_from(["keys.quit", "keys.chat.stop", "keys.ü x"]), TEXTS.filter(lambda text: "#" not in text)),
)


@patient
@given(config_texts(), st.lists(CHANGES, min_size=1, max_size=3))
def test_any_change_to_any_file_keeps_everything_else(
    tmp_path_factory: pytest.TempPathFactory, text: str, changes: list[tuple[str, str]]
) -> None:
    home = paths({"PUNA_HOME": str(tmp_path_factory.mktemp("set"))})
    home.config.mkdir()
    home.config_file.write_text(text, encoding="utf-8", newline="")
    for key, typed in changes:
        before = tomllib.loads(home.config_file.read_text(encoding="utf-8"))
        change = set_value(home, key, typed)
        after = tomllib.loads(home.config_file.read_text(encoding="utf-8"))
        section, _, name = key.partition(".")
        assert after[section][name] == (list(change.after) if isinstance(change.after, tuple) else change.after)
        order = [(table, inner) for table in before for inner in before[table]]
        assert [(table, inner) for table in after for inner in after[table] if (table, inner) in order] == order
        before.setdefault(section, {})[name] = after[section][name]
        assert after == before
    kept = comments_of(home.config_file.read_bytes().decode())
    lost = [comment for comment in comments_of(text) if comment not in kept]
    # A comment beside an element of a list goes with that element, and only with it.
    assert not lost or any(key == "load.devices" for key, _ in changes)
