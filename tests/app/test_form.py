"""The load panel's values: stepping, typing, auto, what is wrong, and what is written."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.app.panels.load.fields import Limits, fields_of, loaded_values
from tui.app.panels.load.form import Form
from tui.llama.settings import LoadSettings

BASE = LoadSettings()
KNOWN = Limits(n_layer=30, n_ctx_train=8192, cores=8)
TWO = Limits(n_layer=30, n_expert=64, devices=("CUDA0", "CUDA1"))


def form(name: str, value: object = None, limits: Limits = KNOWN, base: LoadSettings = BASE) -> Form:
    """A form with the cursor on one field."""
    made = Form.of(base, base, limits).move([field.name for field in fields_of(limits)].index(name))
    return made if value is None else Form(base, base, {**made.values, name: value}, limits, made.at)


def value(made: Form) -> object:
    """What is under the cursor."""
    return made.values[made.field.name]


@pytest.mark.parametrize(
    ("name", "start", "steps", "end"),
    [
        ("n_gpu_layers", "auto", [1], "all"),
        ("n_gpu_layers", "auto", [-1], 31),
        ("n_gpu_layers", "all", [-1], 31),
        ("n_gpu_layers", 30, [1], "all"),
        ("n_gpu_layers", 0, [-1], 0),
        ("n_gpu_layers", 5, [1, 1], 7),
        ("n_ctx", "auto", [1], 4096),
        ("n_ctx", "auto", [-1], 4096),
        ("n_ctx", 4096, [1], 5120),
        ("n_ctx", 4096, [-1], 3072),
        ("n_ctx", 5000, [-1], 4096),
        ("n_ctx", 1024, [-1, -1, -1, -1], 256),
        ("n_ctx", 8192, [1], 8192),
        ("type_k", "f16", [1, 1], "q8_0"),
        ("type_k", "f32", [-1], "f32"),
        ("flash_attn", "auto", [1], "on"),
        ("flash_attn", "auto", [-1, -1], "off"),
        ("n_ubatch", 512, [-1, -1], 128),
        ("n_ubatch", 300, [1], 512),
        ("threads", "auto", [1], 1),
        ("threads", 8, [1], 8),
        ("threads", 1, [-1], 1),
    ],
)
def test_steps(name: str, start: object, steps: list[int], end: object) -> None:
    made = form(name, start)
    for step in steps:
        made = made.step(step)
    assert value(made) == end


@pytest.mark.parametrize(
    ("name", "start", "direction", "end"),
    [("n_ctx", 3000, 1, 6000), ("n_ctx", 3000, -1, 1500), ("n_ctx", 300, -1, 256), ("n_gpu_layers", 10, 1, 13)],
)
def test_large_steps(name: str, start: object, direction: int, end: object) -> None:
    assert value(form(name, start).step(direction, page=True)) == end


def test_what_one_more_step_leads_to() -> None:
    made = form("n_ctx", 512)
    assert [one.n_ctx for one in made.neighbours()] == [value(made.step(1)), value(made.step(-1))]
    assert [one.n_ctx for one in form("n_ctx").neighbours({"n_ctx": 4096})] == [5120, 3072]
    least = form("n_gpu_layers", 0)
    assert [one.n_gpu_layers for one in least.neighbours()] == [1], "no step leads below"


def test_typing_rubbing_out_and_auto() -> None:
    made = form("n_ctx").digit("4").digit("0").digit("9").digit("6")
    assert value(made) == 4096
    assert value(made.rub_out()) == 409
    assert value(made.rub_out().rub_out().rub_out().rub_out()) == "auto"
    assert value(made.automatic()) == "auto"
    assert value(made.move(1).move(-1).digit("7")) == 7, "after another field typing begins anew"
    assert value(form("type_k").digit("5")) == "f16"
    assert value(form("n_ctx").digit("0").digit("0").digit("8")) == 8
    assert value(form("n_gpu_layers", "all").rub_out()) == "auto"


def test_what_cannot_be_is_said_with_the_settings_name() -> None:
    assert "type_v: q4_0 needs flash attention" in form("type_v", "q4_0", base=LoadSettings(flash_attn="off")).problem()
    assert form("n_ctx", 0).problem().startswith("n_ctx: 0 is outside")
    assert form("n_ctx", 4096).problem() == ""


def test_more_layers_than_the_model_has_are_all() -> None:
    usual = LoadSettings(n_gpu_layers=99)
    made = form("n_gpu_layers", base=usual)
    assert made.settings().n_gpu_layers == "all"
    assert made.hint() == "31; more is all, too"
    assert set(made.changes().values()) == {None}, "all is what the default says already"
    typed = form("n_gpu_layers").digit("3").digit("1")
    assert value(typed) == 31, "not before the number is exceeded: more digits may come"
    assert value(typed.digit("0")) == "all"
    assert value(typed.digit("0").rub_out()) == 31
    assert Form.of(usual, usual, Limits()).settings().n_gpu_layers == 99, "of how many is not known"


def test_only_what_differs_from_the_defaults_is_written() -> None:
    base = LoadSettings(n_ctx=2048)
    made = form("n_ctx", 4096, base=base)
    assert {key: changed for key, changed in made.changes().items() if changed is not None} == {"n_ctx": 4096}
    assert set(form("n_ctx", 2048, base=base).changes().values()) == {None}


def test_settings_outside_of_the_panel_are_kept() -> None:
    base = LoadSettings(n_cpu_moe=4, load_mode="mmap")
    assert form("n_ctx", 512, base=base).settings() == LoadSettings(n_ctx=512, n_cpu_moe=4, load_mode="mmap")


def test_what_is_stored_for_the_model_is_kept_where_the_panel_does_not_show_it() -> None:
    stored = LoadSettings(n_ctx=2048, n_cpu_moe=4, swa_full=True, n_ubatch=256, devices=("CUDA1",))
    made = Form.of(LoadSettings(n_ctx=1024, threads=3), stored, KNOWN)
    assert made.settings() == stored
    stepped = made.move(1).step(1)
    assert stepped.settings() == msgspec.structs.replace(stored, n_ctx=3072)
    assert stepped.changes()["n_ctx"] == 3072
    assert not {"n_cpu_moe", "swa_full", "devices"} & set(stepped.changes())


def test_experts_and_devices_are_offered_where_there_are_any() -> None:
    names = [field.name for field in Form.of(BASE, BASE, KNOWN).fields]
    assert not {"n_cpu_moe", "devices", "tensor_split"} & set(names)
    names = [field.name for field in Form.of(BASE, BASE, TWO).fields]
    assert {"n_cpu_moe", "devices", "tensor_split"} <= set(names)


def test_what_is_known_later_adds_fields_and_changes_no_setting() -> None:
    stored = LoadSettings(n_gpu_layers=40, n_cpu_moe=4, devices=("CUDA1",))
    made = Form.of(BASE, stored, Limits()).move(99)
    assert made.field.name == "threads"
    taken = made.taking_over(stored, msgspec.structs.replace(stored, n_cpu_moe=6)).digit("3")
    known = taken.within(TWO)
    assert known.field.name == "threads", "the cursor stays on its setting"
    assert (known.values["n_cpu_moe"], known.values["devices"], known.values["threads"]) == (6, ("CUDA1",), 3)
    assert known.settings() == msgspec.structs.replace(taken.settings(), n_gpu_layers="all")
    assert value(known.digit("2")) == 32, "typing goes on"
    fewer = known.within(KNOWN)
    assert fewer.settings() == known.settings()


def test_devices_and_their_split_step_through_every_selection() -> None:
    made = form("devices", limits=TWO)
    assert made.field.shown(value(made)) == "all of them"
    assert value(made.step(1)) == ("CUDA0",)
    assert made.step(-1).settings().devices == ("none",)
    assert value(made.step(1).step(1)) == ("CUDA1",)
    assert made.step(1).changes()["devices"] == ["CUDA0"]
    split = form("tensor_split", limits=TWO).step(1).step(1)
    assert split.settings().tensor_split == (3.0, 1.0)
    assert split.field.shown(value(split)) == "3 : 1"
    by_hand = form("tensor_split", (5.0, 4.0), limits=TWO)
    assert by_hand.field.shown(value(by_hand)) == "5, 4"
    assert value(by_hand.step(1)) == ()
    many = Limits(devices=tuple(f"CUDA{number}" for number in range(8)))
    assert value(form("devices", limits=many).step(1, page=True)) == ("CUDA7",)


def test_of_a_change_that_is_taken_over_only_the_change_counts() -> None:
    before = LoadSettings(n_ctx=8192, n_gpu_layers=12)
    made = form("n_ctx").taking_over(before, msgspec.structs.replace(before, type_k="q8_0", n_gpu_layers=31))
    assert made.settings() == LoadSettings(n_gpu_layers="all", n_ctx="auto", type_k="q8_0")
    hidden = form("n_ctx").taking_over(LoadSettings(swa_full=True), LoadSettings(swa_full=False))
    assert "swa_full" not in hidden.values
    stored = Form.of(BASE, LoadSettings(swa_full=True), KNOWN)
    windows = stored.taking_over(LoadSettings(swa_full=True), LoadSettings())
    assert windows.settings().swa_full is False
    assert windows.changes()["swa_full"] is None, "as it is without a person"
    assert windows.automatic().settings().swa_full is True, "what is taken over goes with all that was chosen"


def test_a_step_from_auto_begins_at_what_it_comes_to() -> None:
    assert value(form("n_ctx").step(-1, loaded={"n_ctx": 8192})) == 7168
    assert value(form("n_gpu_layers").step(1, loaded={"n_gpu_layers": 12})) == 13
    assert value(form("n_gpu_layers").step(1, loaded={"n_gpu_layers": 31})) == "all"
    assert value(form("flash_attn").step(1, loaded={"flash_attn": "on"})) == "on"
    assert value(form("n_ctx", 4096).step(1, loaded={"n_ctx": 8192})) == 5120, "a number is stepped from itself"


def test_what_a_load_makes_of_a_value_is_told_where_it_is_another() -> None:
    loaded = loaded_values(LoadSettings(type_k="q8_0", threads="auto"), 8192, 31, "on", Limits(n_layer=30, threads=7))
    words = {
        one.name: one.comes_to(value, loaded[one.name], Limits(n_layer=30))
        for one in fields_of(KNOWN)
        for value in [getattr(BASE, one.name)]
    }
    assert words == {
        "n_gpu_layers": "all 31", "n_ctx": "8 192", "type_k": "q8_0", "type_v": "", "flash_attn": "on",
        "n_ubatch": "", "threads": "7",
    }  # fmt: skip
    layers = next(one for one in fields_of(KNOWN) if one.name == "n_gpu_layers")
    assert layers.comes_to("all", 31, KNOWN) == layers.comes_to(12, 12, KNOWN) == ""
    assert layers.comes_to("auto", 12, KNOWN) == "12 of 31"


def test_hints_say_what_is_known() -> None:
    assert form("n_gpu_layers").hint() == "of 31; 0 keeps all in RAM"
    assert form("n_ctx", 4096).hint() == "trained with 8 192 tokens"
    assert form("n_ctx", 9000).hint() == "trained with only 8 192"
    assert form("threads").hint() == "8 physical cores here"
    assert form("n_cpu_moe", limits=TWO).hint() == "layers of 30 whose experts stay in RAM"
    assert form("devices", limits=TWO).hint() == "of 2: CUDA0, CUDA1"
    unknown = Limits()
    assert all(Form.of(BASE, BASE, unknown).move(at).hint() for at in range(len(fields_of(unknown))))


@given(st.lists(st.sampled_from(["up", "down", "less", "more", "much less", "much more", "auto", "rub", *"0159"])))
def test_whatever_is_pressed_the_form_stands_for_settings_or_says_why_not(presses: list[str]) -> None:
    made = Form.of(BASE, BASE, KNOWN)
    for press in presses:
        made = {
            "up": lambda f: f.move(-1),
            "down": lambda f: f.move(1),
            "less": lambda f: f.step(-1),
            "more": lambda f: f.step(1),
            "much less": lambda f: f.step(-1, True),
            "much more": lambda f: f.step(1, True),
            "auto": Form.automatic,
            "rub": Form.rub_out,
        }.get(press, lambda f, digit=press: f.digit(digit))(made)
        if not made.problem():
            assert made.settings().n_batch == BASE.n_batch
        assert made.hint()


def test_the_projector_beside_a_model_can_be_left_out() -> None:
    limits = replace(KNOWN, projector="mmproj-F16.gguf")
    (one,) = (one for one in fields_of(limits) if one.name == "mmproj")
    assert [one.name for one in fields_of(KNOWN) if one.name == "mmproj"] == []
    assert one.comes_to("auto", "/models/mmproj-F16.gguf", limits) == "mmproj-F16.gguf"
    assert (one.step("auto", -1, False, limits), one.step("none", 1, False, limits)) == ("none", "auto")
    assert one.hint({"mmproj": "none"}, limits) == "it sees no images"
