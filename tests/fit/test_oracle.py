"""The dry run's client: what it answers, what it remembers, and that whatever happens to its process, the next question
is answered.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.fit.asking import NO_GPU, estimate, machine, settings
from tests.rigs.headers import of_bytes, with_number
from tui.fit.oracle import ANSWER_S, DryRun, Unanswered
from tui.fit.questions import Question
from tui.fit.values import Machine, Refused
from tui.gguf.stripped import StrippedHeader
from tui.process.spawn import Child, spawn


class Spawner:
    """Starts real children and counts them; `module` is started in place of the dry run's."""

    def __init__(self, module: str = "") -> None:
        self.module = module
        self.started: list[Child] = []
        self.begun, self.asked = asyncio.Event(), asyncio.Event()
        """A process was started; a question was written to one."""

    async def __call__(self, module: str, arguments: Sequence[str], *, incoming: Any) -> Child:
        child = await spawn(self.module or module, arguments, incoming=incoming)
        send = child.channel.send

        def noted(message: object) -> None:
            send(message)
            if isinstance(message, Question):
                self.asked.set()

        child.channel.send = noted  # type: ignore[method-assign]
        self.started.append(child)
        self.begun.set()
        return child


@pytest.fixture
def spawner() -> Spawner:
    return Spawner()


@pytest.fixture
async def dry_run(spawner: Spawner) -> AsyncIterator[DryRun]:
    async with DryRun(spawn=spawner) as running:
        yield running


async def test_a_process_is_started_on_first_need_and_ended(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    assert (dry_run.pid, spawner.started) == (None, [])
    found = await dry_run.predict(tiny_header, settings(), NO_GPU)
    assert (found.source, found.reason, found.n_ctx, found.n_gpu_layers) == ("dry-run", "", 1024, 0)
    assert found.host.context_bytes == 1024 * 2 * 2 * 32 * 2  # f16 keys and values of two layers
    (child,) = spawner.started
    assert dry_run.pid == child.pid
    await dry_run.release()
    assert child.process.returncode is not None
    await dry_run.predict(tiny_header, settings(n_ctx=512), NO_GPU)
    assert len(spawner.started) == 2
    await dry_run.close()
    assert (await dry_run.predict(tiny_header, settings(n_ctx=768), NO_GPU, estimate)).reason == "the dry run is closed"
    assert [each.process.returncode for each in spawner.started] == [-signal.SIGKILL] * 2


async def test_an_answer_is_remembered(dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader) -> None:
    first = await dry_run.predict(tiny_header, settings(), NO_GPU)
    spawner.started[0].kill()
    await spawner.started[0].process.wait()
    for unchanged in (settings(), settings(threads=7, load_mode="mmap", mlock=True, chat_template="x")):
        assert await dry_run.predict(tiny_header, unchanged, NO_GPU) == first
    assert len(spawner.started) == 1
    assert await dry_run.predict(tiny_header, settings(n_ctx=2048), NO_GPU) != first
    assert len(spawner.started) == 2


async def test_devices_keep_their_names_and_free_memory_only_matters_between_several(
    dry_run: DryRun, spawner: Spawner, demo_header: StrippedHeader
) -> None:
    one = await dry_run.predict(demo_header, settings(), machine(24))
    assert [(device.name, device.description) for device in one.devices] == [("CUDA0", "card 0")]
    even = await dry_run.predict(demo_header, settings(), machine(24, 24))
    odd = await dry_run.predict(demo_header, settings(), machine(24, 6))
    assert odd.devices[0].context_bytes > even.devices[0].context_bytes
    forced = settings(tensor_split=(1, 1))
    for sizes in ((24, 6), (24, 24)):
        split = await dry_run.predict(demo_header, forced, machine(*sizes))
        assert split.devices == even.devices


async def test_what_settings_say_about_devices(dry_run: DryRun, demo_header: StrippedHeader) -> None:
    both = machine(24, 24)
    alone = await dry_run.predict(demo_header, settings(), machine(24))
    second = await dry_run.predict(demo_header, settings(devices=("CUDA1",)), both)
    assert second.devices[0].sum_bytes == 0
    assert second.devices[1].sum_bytes == alone.devices[0].sum_bytes
    main = await dry_run.predict(demo_header, settings(split_mode="none", main_device=1), both)
    assert main.devices == second.devices
    in_ram = await dry_run.predict(demo_header, settings(n_gpu_layers=0), machine(24))
    assert in_ram.devices[0].compute_bytes > 0  # large batches are computed on the GPU all the same
    without = await dry_run.predict(demo_header, settings(n_gpu_layers=0, devices=("none",)), machine(24))
    assert without.devices[0].sum_bytes == 0
    with pytest.raises(Refused, match="no device 'CUDA7'"):
        await dry_run.predict(demo_header, settings(devices=("CUDA7",)), both)
    with pytest.raises(Refused, match="main_device"):
        await dry_run.predict(demo_header, settings(split_mode="none", main_device=2), both)


async def test_layers_resolve(dry_run: DryRun, demo_header: StrippedHeader) -> None:
    for wished, resolved in (("all", 31), (31, 31), (500, 31), (30, 30), (0, 0)):
        found = await dry_run.predict(demo_header, settings(n_gpu_layers=wished, n_ctx=1000), machine(24))
        assert (found.n_gpu_layers, found.n_ctx) == (resolved, 1024)
    assert (await dry_run.predict(demo_header, settings(panes=3, n_ctx=500), machine(24))).n_ctx == 512


async def test_flash_attention_resolves_as_the_backend_would(
    dry_run: DryRun, tiny_header: StrippedHeader, demo_header: StrippedHeader
) -> None:
    resolved: list[str] = []

    async def compute(header: StrippedHeader, mode: str, gpu: bool) -> int:
        on = machine(24) if gpu else NO_GPU
        found = await dry_run.predict(header, settings(flash_attn=mode, n_ctx=8192), on)
        resolved.append(found.flash_attn)
        return (found.devices[0] if gpu else found.host).compute_bytes

    for header, gpu in ((demo_header, True), (demo_header, False), (tiny_header, False)):
        assert await compute(header, "auto", gpu) == await compute(header, "on", gpu)
        assert await compute(header, "auto", gpu) * 2 < await compute(header, "off", gpu)
    assert resolved == ["on", "on", "on", "off"] * 3
    assert await compute(tiny_header, "auto", True) > 2 * await compute(tiny_header, "on", True)
    assert resolved[-2:] == ["off", "on"]
    with pytest.raises(Refused, match="K cache type q8_0 with block size 32"):
        await dry_run.predict(tiny_header, settings(type_k="q8_0"), NO_GPU)


async def test_two_devices_of_one_name(dry_run: DryRun, tiny_header: StrippedHeader) -> None:
    (twin,) = machine(8).devices
    with pytest.raises(ValueError, match="a name of its own"):
        await dry_run.predict(tiny_header, settings(), Machine(devices=(twin, twin)), estimate)


async def test_what_does_not_fit_into_the_process(dry_run: DryRun, tiny_header: StrippedHeader) -> None:
    endless = with_number(tiny_header, "llama.vocab_size", 1 << 30)
    found = await dry_run.predict(endless, settings(), NO_GPU, estimate)
    assert (found.source, found.reason.partition(" here: ")[2]) == (
        "estimate",
        "not even laying it out fits into memory",
    )


@pytest.mark.parametrize("sizes", [(24,), (24, 12)])
async def test_an_answer_does_not_depend_on_what_was_asked_before(
    tiny_header: StrippedHeader, demo_header: StrippedHeader, sizes: tuple[int, ...]
) -> None:
    """A graph whose operations were all taken is not asked about again; one with a refusal is."""
    asked = [
        settings(n_ctx=n_ctx, flash_attn=mode, n_gpu_layers=layers, type_k=kind, n_ubatch=n_ubatch)
        for kind in ("f16", "iq4_nl")
        for layers in ("all", 1)
        for mode in ("auto", "on")
        for n_ctx, n_ubatch in ((256, 512), (8192, 512), (8192, 128))
    ]
    for header in (demo_header, tiny_header):
        possible = asked if header is demo_header else asked[:12]  # its heads are shorter than a block of iq4_nl
        async with DryRun() as dry_run:
            found = [await dry_run.predict(header, each, machine(*sizes)) for each in possible]
        async with DryRun() as dry_run:
            for each, before in reversed(list(zip(possible, found, strict=True))):
                assert await dry_run.predict(header, each, machine(*sizes)) == before


async def test_only_numbers_are_asked_about(dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader) -> None:
    for unresolved in (settings(n_ctx="auto"), settings(n_gpu_layers="auto")):
        with pytest.raises(ValueError, match="resolved"):
            await dry_run.predict(tiny_header, unresolved, NO_GPU)
    assert not spawner.started


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("llama.attention.head_count", 0, "check_tensor_dims"),
        ("llama.attention.head_count", 7, "invalid n_rot"),
        ("llama.feed_forward_length", 1 << 31, "wrong shape"),
    ],
)
async def test_headers_that_llama_cpp_refuses(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader, key: str, value: int, said: str
) -> None:
    wrong = with_number(tiny_header, key, value)
    for _ in range(2):
        with pytest.raises(Refused, match=said):
            await dry_run.predict(wrong, settings(), NO_GPU, estimate)
    assert (await dry_run.predict(tiny_header, settings(), NO_GPU)).source == "dry-run"
    assert len(spawner.started) == 1


async def test_garbage(dry_run: DryRun, tiny_header: StrippedHeader) -> None:
    half = len(tiny_header.data) // 2
    for data in (b"", b"GGUF", b"\0" * 64, tiny_header.data[:half], tiny_header.data.replace(b"llama", b"lhama")):
        with pytest.raises(Refused, match="cannot load this model"):
            await dry_run.predict(of_bytes(data), settings(), NO_GPU, estimate)
    assert (await dry_run.predict(tiny_header, settings(), NO_GPU)).source == "dry-run"


async def test_a_header_that_ends_llama_cpp(dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader) -> None:
    deadly = with_number(tiny_header, "llama.block_count", 4000)
    for _ in range(2):
        found = await dry_run.predict(deadly, settings(), NO_GPU, estimate)
        assert (found.source, found.host.weights_bytes, found.spread) == ("estimate", 4711, 0.1)
        assert "SIGABRT" in found.reason
        assert "LLAMA_MAX_LAYERS" in found.reason
    assert len(spawner.started) == 1  # it is remembered
    assert (await dry_run.predict(tiny_header, settings(), NO_GPU)).source == "dry-run"
    await dry_run.predict(deadly, settings(n_ctx=512), NO_GPU, estimate)
    assert len(spawner.started) == 2
    found = await dry_run.predict(deadly, settings(n_ctx=256), NO_GPU, estimate)
    assert "every setting" in found.reason
    assert len(spawner.started) == 2
    with pytest.raises(Unanswered, match="every setting"):
        await dry_run.predict(deadly, settings(n_ctx=768), NO_GPU)


async def test_a_process_that_is_killed_at_a_question(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    await dry_run.predict(tiny_header, settings(), NO_GPU)
    pid = dry_run.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    spawner.asked.clear()
    asked = asyncio.create_task(dry_run.predict(tiny_header, settings(n_ctx=512), NO_GPU, estimate))
    await spawner.asked.wait()
    os.kill(pid, signal.SIGKILL)
    assert (await asked).source == "dry-run"
    assert len(spawner.started) == 2


async def test_a_process_that_gives_no_answer(spawner: Spawner, tiny_header: StrippedHeader) -> None:
    async with DryRun(spawn=spawner, answer_s=0.2) as dry_run:
        await dry_run.devices()
        assert dry_run.pid is not None
        os.kill(dry_run.pid, signal.SIGSTOP)
        for n_ctx in (256, 512):
            found = await dry_run.predict(tiny_header, settings(n_ctx=n_ctx), NO_GPU, estimate)
            assert (found.source, found.reason) == ("estimate", "llama.cpp gave no answer within 0.2 s")
        assert spawner.started[0].process.returncode == -signal.SIGKILL
        assert len(spawner.started) == 1  # the header rests, so that a search does not wait for each of its questions


async def test_what_got_no_answer_in_time_is_asked_again(spawner: Spawner, tiny_header: StrippedHeader) -> None:
    async with DryRun(spawn=spawner, rest_s=0) as dry_run:
        for _ in range(3):
            await dry_run.devices()
            assert dry_run.pid is not None
            os.kill(dry_run.pid, signal.SIGSTOP)
            dry_run._answer_s = 0.2
            assert (await dry_run.predict(tiny_header, settings(), NO_GPU, estimate)).source == "estimate"
            dry_run._answer_s = ANSWER_S
        assert (await dry_run.predict(tiny_header, settings(), NO_GPU)).source == "dry-run"


async def test_whoever_stops_waiting_disturbs_nobody(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    await dry_run.devices()
    sizes = [256 * step for step in range(1, 30)]
    tasks = [
        asyncio.create_task(dry_run.predict(tiny_header, settings(n_ctx=n_ctx), NO_GPU, estimate)) for n_ctx in sizes
    ]
    await spawner.asked.wait()  # the first is at llama.cpp, the others wait their turn
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    for n_ctx, found in zip(sizes[1::2], done[1::2], strict=True):
        assert not isinstance(found, BaseException)
        assert (found.source, found.n_ctx) == ("dry-run", n_ctx)
    assert all(isinstance(found, asyncio.CancelledError) for found in done[::2])


async def test_closing_does_not_wait_for_an_answer(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    await dry_run.devices()
    assert dry_run.pid is not None
    os.kill(dry_run.pid, signal.SIGSTOP)
    asked = asyncio.create_task(dry_run.predict(tiny_header, settings(), NO_GPU, estimate))
    await spawner.asked.wait()
    await dry_run.close()
    assert (await asked).reason == "the dry run is closed"
    assert len(spawner.started) == 1


async def test_closing_does_not_wait_for_a_start(tiny_header: StrippedHeader) -> None:
    spawner = Spawner("tests.rigs.silent")
    async with DryRun(spawn=spawner, start_s=600) as dry_run:
        asked = asyncio.create_task(dry_run.predict(tiny_header, settings(), NO_GPU, estimate))
        await spawner.begun.wait()
        await dry_run.close()
        assert (await asked).reason == "the dry run is closed"
        assert await dry_run.devices() is None
    assert [child.process.returncode for child in spawner.started] == [-signal.SIGKILL]


async def test_caches_beyond_reason_are_estimated(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    found = await dry_run.predict(tiny_header, settings(n_ctx=1 << 22, panes=16), NO_GPU, estimate)
    assert (found.source, found.n_ctx) == ("estimate", 1 << 22)
    assert "not tried" in found.reason
    assert dry_run.pid == spawner.started[0].pid


async def test_without_llama_cpp_everything_is_an_estimate(tiny_header: StrippedHeader) -> None:
    spawner = Spawner("tests.rigs.without_llama_cpp")
    async with DryRun(spawn=spawner) as dry_run:
        for n_ctx in (256, 512):
            found = await dry_run.predict(tiny_header, settings(n_ctx=n_ctx), NO_GPU, estimate)
            assert found.reason.startswith("llama.cpp cannot be used: ")
        assert await dry_run.devices() is None  # nobody knows: that is not "none"
        assert len(spawner.started) == 1


async def test_a_process_that_is_no_dry_run(tiny_header: StrippedHeader) -> None:
    spawner = Spawner("tests.rigs.child")  # it says nothing that a dry run would say
    async with DryRun(spawn=spawner, start_s=30) as dry_run:
        for n_ctx in (256, 512, 768):
            found = await dry_run.predict(tiny_header, settings(n_ctx=n_ctx), NO_GPU, estimate)
            assert (found.source, found.n_ctx) == ("estimate", n_ctx)
            assert "not start" in found.reason
        assert await dry_run.devices() is None
    assert len(spawner.started) == 2


async def test_where_its_answers_are_doubted_llama_cpp_still_knows_its_gpus(demo_header: StrippedHeader) -> None:
    """As on macOS, where the breakdown cannot be read."""
    spawner = Spawner("tests.rigs.gpus_without_breakdown")
    async with DryRun(spawn=spawner) as dry_run:
        for _ in range(2):
            found = await dry_run.devices()
            assert found is not None
            assert [each.name for each in found] == ["CUDA0", "CUDA1"]
            guess = await dry_run.predict(demo_header, settings(), machine(24, 12, profile="real"), estimate)
            assert (guess.source, guess.reason) == (
                "estimate",
                "what llama.cpp would allocate cannot be read on this platform",
            )
        assert len(spawner.started) == 1
        await dry_run.release()
        assert dry_run.pid is None
        assert await dry_run.devices() == found


async def test_gpus_that_are_not_told_in_time_are_not_known(spawner: Spawner, tiny_header: StrippedHeader) -> None:
    async with DryRun(spawn=spawner) as dry_run:
        for _ in range(2):
            await dry_run.predict(tiny_header, settings(), NO_GPU)
            await dry_run.release()
            dry_run._answer_s = ANSWER_S
            assert await dry_run.devices() == ()
            assert dry_run.pid is not None
            os.kill(dry_run.pid, signal.SIGSTOP)
            dry_run._answer_s = 0.2
            assert await dry_run.devices() is None
        dry_run._answer_s = ANSWER_S
        assert await dry_run.devices() is None  # nobody is kept waiting for a third time
        assert (await dry_run.predict(tiny_header, settings(n_ctx=512), NO_GPU)).source == "dry-run"


async def test_a_fault_in_the_process_costs_one_answer(
    tiny_header: StrippedHeader, demo_header: StrippedHeader
) -> None:
    spawner = Spawner("tests.rigs.one_fault")  # it has one at 768 tokens
    async with DryRun(spawn=spawner) as dry_run:
        assert (await dry_run.predict(tiny_header, settings(), machine(24))).source == "dry-run"
        for tries in (2, 3):
            found = await dry_run.predict(tiny_header, settings(n_ctx=768), machine(24), estimate)
            assert found.reason == "a rule of its stand-in devices failed: KeyError('soft')"
            assert (await dry_run.predict(demo_header, settings(n_ctx=1024 * tries), machine(24))).source == "dry-run"
            assert len(spawner.started) == tries


async def test_processes_come_from_the_main_thread_only(tiny_header: StrippedHeader) -> None:
    failures: list[BaseException] = []

    def elsewhere() -> None:
        async def ask() -> None:
            async with DryRun() as dry_run:
                await dry_run.predict(tiny_header, settings(), NO_GPU, estimate)

        try:
            asyncio.run(ask())
        except RuntimeError as error:
            failures.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert "main thread" in str(failures[0])


async def test_gpus_of_the_installed_llama_cpp_are_asked_themselves(demo_header: StrippedHeader) -> None:
    spawner = Spawner("tests.rigs.gpus_for_children")
    async with DryRun() as without, DryRun(spawn=spawner) as dry_run:
        assert await without.devices() == ()
        found = await dry_run.devices()
        assert found is not None
        assert [(each.name, each.total_bytes >> 30) for each in found] == [("CUDA0", 24), ("CUDA1", 12)]
        for wished in (settings(), settings(n_gpu_layers=12), settings(devices=("CUDA1",)), settings(n_gpu_layers=0)):
            real = await dry_run.predict(demo_header, wished, machine(24, 12, profile="real"))
            assert real == await dry_run.predict(demo_header, wished, machine(24, 12))
        missing = await without.predict(demo_header, settings(), machine(24, profile="real"), estimate)
        assert missing.reason == "the installed llama.cpp has no device CUDA0"


async def test_no_process_is_left_behind(dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader) -> None:
    await dry_run.predict(with_number(tiny_header, "llama.block_count", 4000), settings(), NO_GPU, estimate)
    await dry_run.predict(tiny_header, settings(), NO_GPU)
    await dry_run.close()
    pids = {child.pid for child in spawner.started}
    assert len(pids) == 2
    assert not pids & {child.pid for child in psutil.Process().children()}


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="this system has no process handles")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_its_front_end(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "tests.rigs.fit_front_end"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as front:
        assert front.stdout is not None
        handle = os.pidfd_open(int(front.stdout.readline()))
        try:
            front.send_signal(number)
            ready, _, _ = select.select([handle], [], [], 60)
            assert ready, "the dry run lives on"
        finally:
            os.close(handle)
            front.kill()


async def test_headers_are_sent_again_when_there_was_no_room_for_them(
    dry_run: DryRun, spawner: Spawner, tiny_header: StrippedHeader
) -> None:
    await dry_run.predict(tiny_header, settings(), NO_GPU)
    for filler in (b"1", b"2"):
        with pytest.raises(Refused):
            await dry_run.predict(of_bytes(filler * (40 << 20)), settings(), NO_GPU)
    assert (await dry_run.predict(tiny_header, settings(n_ctx=512), NO_GPU)).source == "dry-run"
    assert len(spawner.started) == 1
