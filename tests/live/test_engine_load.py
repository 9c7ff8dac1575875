"""Loading: progress, a stop at any moment, memory that is back afterwards, files that go away, odd places and names."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from tests.rigs.asking import ask, running, start, user
from tests.rigs.gguf_maker import tiny_model
from tui.engine import registry
from tui.engine.client import Engine, EngineDied, EngineError
from tui.llama.settings import LoadSettings

SETTINGS = LoadSettings(n_ctx=512, n_gpu_layers=0, threads=1)


def children() -> set[int]:
    return {process.pid for process in psutil.Process().children()}


def resident_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


def remove(path: Path) -> None:
    path.unlink()


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def has_ended(pid: int) -> bool:
    return not psutil.pid_exists(pid)


@pytest.fixture(scope="module")
def wide_model(models_dir: Path) -> Path:
    """90 MB of random weights: its load takes long enough to be seen in parts."""
    return tiny_model(models_dir / "wide.gguf", n_embd=768, n_layer=4)


async def test_progress_rises_to_one(wide_model: Path, engines_dir: Path) -> None:
    seen: list[float] = []
    engine = await Engine.start(wide_model, SETTINGS, name="w", on_progress=seen.append, engines_dir=engines_dir)
    await engine.close()
    assert seen == sorted(set(seen))
    assert seen[0] < 0.1
    assert seen[-1] == 1.0
    assert len(seen) > 5


@pytest.mark.live
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
async def test_a_load_is_stopped_at_any_moment(demo_model: Path, engines_dir: Path, share: float) -> None:
    before = children()
    reached = asyncio.Event()

    def progress(fraction: float) -> None:
        if fraction >= share:
            reached.set()

    starting = asyncio.create_task(
        Engine.start(demo_model, SETTINGS, name="d", on_progress=progress, engines_dir=engines_dir)
    )
    await reached.wait()
    (pid,) = children() - before
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert has_ended(pid)
    assert registry.running(engines_dir) == ()


async def test_a_start_is_stopped_before_anything_is_loaded(tiny_llama: Path, engines_dir: Path) -> None:
    before = children()
    for turns in range(8):
        starting = asyncio.create_task(Engine.start(tiny_llama, SETTINGS, name="t", engines_dir=engines_dir))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
    left = [psutil.Process(pid) for pid in children() - before]
    assert psutil.wait_procs(left, timeout=30)[1] == []


async def test_a_fault_in_the_listener_comes_out_of_start(wide_model: Path, engines_dir: Path) -> None:
    def progress(_fraction: float) -> None:
        raise ZeroDivisionError("of the listener")

    before = children()
    with pytest.raises(ZeroDivisionError, match="listener"):
        await Engine.start(wide_model, SETTINGS, name="w", on_progress=progress, engines_dir=engines_dir)
    assert children() == before


@pytest.mark.live
async def test_memory_is_back_after_the_close(demo_model: Path, engines_dir: Path) -> None:
    before = children()
    engine = await start(demo_model, engines_dir, n_ctx=2048)
    receipt = engine.receipt
    assert resident_bytes(engine.pid) > receipt.host.weights_bytes
    mine = resident_bytes(os.getpid())
    await ask(engine, [user("Hi")], max_tokens=2)
    pid = engine.pid
    await engine.close()
    assert has_ended(pid)
    assert children() == before
    assert resident_bytes(os.getpid()) < mine + receipt.host.weights_bytes // 4, "the model was never in this process"


async def test_an_engine_that_loads_is_in_the_list_and_can_be_stopped(demo_model: Path, engines_dir: Path) -> None:
    seen: list[registry.RunningEngine] = []

    def stop(_: float) -> None:
        if not seen:
            seen.extend(registry.running(engines_dir))
            assert registry.stop(seen[0])

    settings = LoadSettings(n_ctx=512, n_gpu_layers=0, threads=1, load_mode="none", panes=2)
    with pytest.raises(EngineDied, match="loading the model"):
        await Engine.start(demo_model, settings, name="slow", on_progress=stop, engines_dir=engines_dir)
    assert [(row.model, row.n_ctx, row.n_ctx_used, row.decode_tok_s) for row in seen] == [("slow", 1024, 0, None)]
    assert registry.running(engines_dir) == ()


async def test_a_load_that_fails_leaves_no_entry(engines_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        await Engine.start(tmp_path / "missing.gguf", SETTINGS, name="m", engines_dir=engines_dir)
    assert os.listdir(engines_dir) == []  # noqa: PTH208


async def test_the_list_counts_all_panes_together(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir, panes=2) as engine:
        one = await ask(engine, "ab", max_tokens=9)
        (row,) = registry.running(engines_dir)
        assert (row.n_ctx, row.n_ctx_used) == (1024, one.done.timings.n_ctx_used)
        two = await ask(engine, "cd", max_tokens=5, pane=1)
        (row,) = registry.running(engines_dir)
        assert row.n_ctx_used == one.done.timings.n_ctx_used + two.done.timings.n_ctx_used


async def test_two_engines_of_one_model_live_side_by_side(tiny_llama: Path, engines_dir: Path) -> None:
    async with running(tiny_llama, engines_dir) as one, running(tiny_llama, engines_dir, n_ctx=1024) as two:
        rows = {row.pid: row for row in registry.running(engines_dir)}
        assert rows.keys() == {one.pid, two.pid}
        assert (rows[one.pid].n_ctx, rows[two.pid].n_ctx) == (512, 1024)
        first, second = await asyncio.gather(ask(one, "ab", max_tokens=9), ask(two, "ab", max_tokens=9))
        assert first.text == second.text
        after = {row.pid: row for row in registry.running(engines_dir)}
        assert after[one.pid].n_ctx_used == first.done.timings.n_ctx_used
        assert (after[one.pid].decode_tok_s or 0) > 0
        os.kill(one.pid, signal.SIGKILL)
        assert (await ask(two, "ab", max_tokens=9)).text == second.text
    assert registry.running(engines_dir) == ()


@pytest.mark.parametrize("load_mode", ["none", "mmap"])
async def test_a_model_deleted_after_the_load_still_answers(
    tiny_llama: Path, tmp_path: Path, engines_dir: Path, load_mode: str
) -> None:
    path = Path(shutil.copy(tiny_llama, tmp_path / "copy.gguf"))
    async with running(path, engines_dir, load_mode=load_mode) as engine:
        before = await ask(engine, "one two", max_tokens=9)
        remove(path)
        await ask(engine, "three", max_tokens=1)
        after = await ask(engine, "one two", max_tokens=9)
        assert after.text == before.text
    with pytest.raises(EngineError, match="does not exist") as caught:
        await start(path, engines_dir)
    assert caught.value.kind == "load"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a mapped file cannot be cut short, or nothing happens")
async def test_a_file_cut_short_while_mapped_ends_the_engine_and_nothing_else(
    wide_model: Path, tmp_path: Path, engines_dir: Path
) -> None:
    path = Path(shutil.copy(wide_model, tmp_path / "copy.gguf"))
    deaths: list[EngineDied] = []
    async with running(path, engines_dir, load_mode="mmap") as engine:
        engine.on_death(deaths.append)
        os.truncate(path, 4096)
        with pytest.raises(EngineDied, match="cut short") as caught:
            await ask(engine, "one two")
        assert caught.value.signal == signal.SIGBUS
        assert "SIGBUS" in caught.value.meaning
        assert not engine.alive
    assert deaths == [caught.value]


def test_a_file_that_may_not_be_read_is_told(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    path = Path(shutil.copy(tiny_llama, tmp_path / "secret.gguf"))
    path.chmod(0)
    told = ask_elsewhere(path, engines_dir, tmp_path, "--obey-permissions")
    assert "cannot be read" in told
    assert "Permission denied" in told
    assert "permissions" in told


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and 'quotes'.gguf",
        "größe-漢字-🌍.gguf",
        "-n.gguf",
        "line\nbreak.gguf",
        "x" * 240 + ".gguf",
        os.fsdecode(b"not-utf8-\xff\xe9.gguf"),
    ],
)
async def test_any_file_name_is_a_name(tiny_llama: Path, tmp_path: Path, engines_dir: Path, name: str) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = Path(shutil.copy(tiny_llama, folder / name))
    async with running(path, engines_dir) as engine:
        assert (await ask(engine, "ab", max_tokens=2)).done.reason == "length"
        (row,) = registry.running(engines_dir)
        assert row.model
    write(path, b"GGUF no more")
    with pytest.raises(EngineError) as caught:
        await start(path, engines_dir)
    assert caught.value.kind == "load"
    str(caught.value).encode()


async def test_a_path_is_relative_to_the_working_folder(
    tiny_llama: Path, tmp_path: Path, engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_llama.parent)
    async with running(Path(tiny_llama.name), engines_dir) as engine:
        assert (await ask(engine, "ab", max_tokens=2)).done.reason == "length"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(EngineError) as caught:
        await start(Path("x.gguf"), engines_dir)
    assert caught.value.kind == "load"


def ask_elsewhere(path: Path, engines_dir: Path, cwd: Path, *options: str) -> str:
    """What a front end of its own process, started in `cwd`, gets to hear."""
    root = Path(__file__).parent.parent.parent
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "tests.rigs.front_end", "ask", str(path), str(engines_dir), *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_folders_named_like_modules_do_not_break_an_engine(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    for name in ("tui", "llama_cpp", "jinja2", "msgspec"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise SystemExit(99)")
    for name in ("json", "queue", "ctypes"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(98)")
    assert "answer" in ask_elsewhere(tiny_llama, engines_dir, tmp_path)


def test_llama_cpp_that_cannot_be_imported_is_told(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "llama_cpp").mkdir(parents=True)
    (broken / "llama_cpp" / "__init__.py").write_text("")
    told = ask_elsewhere(tiny_llama, engines_dir, tmp_path, "--python-path", str(broken))
    assert "llama.cpp cannot be used" in told
    assert "puna doctor" in told


def test_a_fault_of_our_own_in_the_engine_ends_it_and_is_told(
    tiny_llama: Path, tmp_path: Path, engines_dir: Path
) -> None:
    """Outside of any request: nobody would ever be answered again if the process lived on."""
    faulty = tmp_path / "faulty"
    faulty.mkdir()
    (faulty / "sitecustomize.py").write_text(
        "import sys\n"
        "if 'tui.engine.host' in sys.orig_argv:\n"
        "    import tui.llama.measure\n"
        "    tui.llama.measure.take_receipt = lambda *_, **__: 1 // 0\n"
    )
    told = json.loads(ask_elsewhere(tiny_llama, engines_dir, tmp_path, "--python-path", str(faulty)))
    assert told["error"] == "the engine stopped while loading the model: it ended by itself with exit code 70"
    assert any("ZeroDivisionError" in line for line in told["log"])


async def test_an_engine_that_cannot_be_started_is_told(
    tiny_llama: Path, engines_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(EngineError, match="no engine process could be started") as caught:
        await start(tiny_llama, engines_dir)
    assert caught.value.kind == "load"


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux only")
def test_a_context_that_no_memory_holds_is_told(tiny_llama: Path, tmp_path: Path, engines_dir: Path) -> None:
    told = json.loads(
        ask_elsewhere(tiny_llama, engines_dir, tmp_path, "--n-ctx", str(1 << 21), "--address-space", str(1 << 30))
    )
    assert told["kind"] == "memory"
    assert "2097152" in told["error"]
    assert "allocate" in told["error"]
    assert "n_ctx" in told["hint"]
    assert any("alloc" in line for line in told["log"])
