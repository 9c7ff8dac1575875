"""`puna pull`: a model comes whole or goes on later, whatever ends the process in between."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.puna import ROOT, environment, puna
from tests.rigs.gguf_maker import plain_gguf
from tests.rigs.hub import IgnoreRange, LoopbackHub, Repo, Reset, Slow, gguf_bytes, of_bytes, of_file
from tests.rigs.terminal import Terminal

KIB, MIB = 1 << 10, 1 << 20
DATA = gguf_bytes(3 * MIB + 5)
SUM = hashlib.sha256(DATA).hexdigest()
NAME = "m-Q4_K_M.gguf"
CONTRACT = ["event", "file", "done_bytes", "total_bytes", "bytes_s", "eta_s", "message"]


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(Repo("org/m", {NAME: of_bytes(DATA)})) as running:
        yield running


def env(hub: LoopbackHub) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.endpoint, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def pull(home: Path, hub: LoopbackHub, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return puna(home, "pull", *arguments, env=env(hub))


def begin(home: Path, hub: LoopbackHub, *arguments: str) -> subprocess.Popen[bytes]:
    """The same, left running."""
    command = [sys.executable, "-m", "tui", "pull", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, env=environment(home, env(hub)), cwd=ROOT)


def configure(home: Path, line: str) -> None:
    """Set something of the downloads."""
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(f"[downloads]\n{line}\n")


def events(output: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def part(home: Path) -> Path:
    return home / "hf" / "puna-parts" / f"{SUM}.part"


def part_bytes(home: Path) -> int:
    try:
        return part(home).stat().st_size
    except FileNotFoundError:
        return 0


def wait_for_bytes(home: Path, count: int, child: subprocess.Popen[bytes]) -> None:
    """Until so much is written; the file itself is the only sign that does not wait for the program."""
    until = time.monotonic() + 60
    while part_bytes(home) < count:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)


def wait_for_request(hub: LoopbackHub, count: int) -> None:
    """Until the file was asked for so often."""
    until = time.monotonic() + 60
    while hub.count("cdn") < count:
        assert time.monotonic() < until
        time.sleep(0.002)


def starts(hub: LoopbackHub) -> list[int]:
    """Where each request for the file began."""
    return [int(seen.request.headers["range"][6:].partition("-")[0]) for seen in hub.seen("cdn")]


def test_an_address_is_fetched_into_the_cache_and_its_path_told(tmp_path: Path, hub: LoopbackHub) -> None:
    done = pull(tmp_path, hub, f"{hub.endpoint}/org/m/blob/main/{NAME}")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.decode().strip())
    assert path.read_bytes() == DATA
    assert path.is_relative_to(tmp_path / "hf" / "hub" / "models--org--m" / "snapshots")
    assert b"100%" in done.stderr
    assert not (tmp_path / "hf" / "puna-parts").exists()
    again = pull(tmp_path, hub, f"{hub.endpoint}/org/m")
    assert (again.returncode, hub.count("cdn")) == (0, 1), "it is here already"


def test_json_is_lines_of_the_contract_and_nothing_else(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", Reset(after=MIB), times=1)
    done = pull(tmp_path, hub, "org/m:Q4_K_M", "--json")
    assert done.returncode == 0, done.stderr
    told = events(done.stdout)
    assert all(list(event) == CONTRACT for event in told)
    assert {"progress", "verify", "retry", "done"} == {event["event"] for event in told}
    last = told[-1]
    assert (last["event"], last["file"], last["done_bytes"], last["total_bytes"]) == (
        "done",
        NAME,
        len(DATA),
        len(DATA),
    )
    assert Path(last["message"]).read_bytes() == DATA


@pytest.mark.parametrize(
    ("model", "said"),
    [("org/m:Q9_K", "has no Q9_K"), ("nothing", "name it as org/repo")],
)
def test_what_is_not_there_is_one_line_and_exit_1(tmp_path: Path, hub: LoopbackHub, model: str, said: str) -> None:
    done = pull(tmp_path, hub, model, "--json")
    assert done.returncode == 1
    (told,) = events(done.stdout)
    assert (told["event"], list(told)) == ("failed", CONTRACT)
    assert said in told["message"]
    assert said in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


def test_the_projector_comes_too_when_asked_for(tmp_path: Path) -> None:
    files = {
        NAME: of_bytes(DATA),
        "mmproj-F16.gguf": of_bytes(gguf_bytes(40)),
        "mmproj-BF16.gguf": of_bytes(gguf_bytes(50)),
    }
    with LoopbackHub(Repo("org/m", files)) as hub:
        done = pull(tmp_path, hub, "org/m", "--projector")
        assert done.returncode == 0, done.stderr
        assert [Path(line).name for line in done.stdout.decode().split()] == [NAME, "mmproj-F16.gguf"]


def test_what_is_in_a_chosen_folder_is_known_afterwards_and_nothing_is_asked_for_it(tmp_path: Path) -> None:
    file = plain_gguf(tmp_path / NAME, {"general.architecture": "llama"}, tensors={"t": (2,)})
    with LoopbackHub(Repo("org/m", {NAME: of_file(file)})) as hub:
        configure(tmp_path, f'folder = "{tmp_path / "models"}"')
        done = pull(tmp_path, hub, "org/m")
        assert done.returncode == 0, done.stderr
        kept = tmp_path / "models" / "org" / "m" / NAME
        assert done.stdout.decode().strip() == str(kept)
        assert list((tmp_path / "hf").rglob(NAME)) == []
        asked = len(hub.requests)
        again = pull(tmp_path, hub, "m-Q4_K_M", "--json")
        assert again.returncode == 0
        assert b"is here already" in again.stderr
        (told,) = events(again.stdout)
        assert (told["event"], told["message"], told["total_bytes"]) == ("done", str(kept), file.stat().st_size)
        assert len(hub.requests) == asked


def test_killed_at_random_points_it_goes_on_and_asks_for_nothing_twice(tmp_path: Path, hub: LoopbackHub) -> None:
    points = sorted(random.Random().sample(range(64 * KIB, len(DATA) - 512 * KIB), 3))
    configure(tmp_path, "limit_mib_s = 4")
    written: list[int] = []
    for point in points:
        child = begin(tmp_path, hub, "org/m", "--json")
        with child:
            wait_for_bytes(tmp_path, point, child)
            wait_for_request(hub, len(written) + 1)
            child.kill()
        written.append(part_bytes(tmp_path))
    done = pull(tmp_path, hub, "org/m", "--json")
    assert done.returncode == 0, done.stderr
    path = Path(events(done.stdout)[-1]["message"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == SUM, points
    again = [before - start for before, start in zip(written, starts(hub)[1:], strict=True)]
    assert all(0 <= count <= 256 * KIB for count in again), (points, written, starts(hub))
    assert not (tmp_path / "hf" / "puna-parts").exists()
    assert list((tmp_path / "state" / "downloads").iterdir()) == [], "locks of the dead are gone, too"


def test_ctrl_c_keeps_what_came_and_says_how_to_go_on(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", Slow(MIB), times=1)
    child = begin(tmp_path, hub, "org/m")
    with child:
        wait_for_bytes(tmp_path, 256 * KIB, child)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGINT
    assert b"`puna pull org/m` goes on from there" in said
    kept = part_bytes(tmp_path)
    assert kept >= 256 * KIB
    done = pull(tmp_path, hub, "org/m")
    assert done.returncode == 0, done.stderr
    assert starts(hub) == [0, kept]


def test_when_the_first_is_killed_the_second_takes_over(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", Slow(512 * KIB), times=1)
    first = begin(tmp_path, hub, "org/m", "--json")
    with first:
        wait_for_bytes(tmp_path, 64 * KIB, first)
        second = begin(tmp_path, hub, "org/m", "--json")
        with second:
            assert second.stdout is not None
            assert "another puna" in json.loads(second.stdout.readline())["message"]
            first.kill()
            output, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert Path(events(output)[-1]["message"]).read_bytes() == DATA
    assert len(starts(hub)) == 2
    assert starts(hub)[1] > 0


def test_what_another_puna_pauses_ends_the_pull_with_an_event(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", Slow(512 * KIB), times=1)
    child = begin(tmp_path, hub, "org/m", "--json")
    with child:
        wait_for_bytes(tmp_path, 64 * KIB, child)
        (file,) = tmp_path.rglob("downloads.json")
        paused = file.with_suffix(".paused")
        paused.write_text(json.dumps([{**item, "paused": True} for item in json.loads(file.read_text())]))
        paused.replace(file)
        output, _ = child.communicate(timeout=60)
    assert child.returncode == 1
    last = events(output)[-1]
    assert (last["event"], "paused by another puna" in last["message"]) == ("failed", True)


def test_a_disk_that_takes_no_more_is_told_and_what_came_is_kept(tmp_path: Path, hub: LoopbackHub) -> None:
    """The limit on a file's size stands for a full disk: the same call fails in the same place."""
    command = f"ulimit -f 1024; exec {sys.executable} -m tui pull org/m"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, env=environment(tmp_path, env(hub)), cwd=ROOT, check=False
    )
    assert done.returncode == 1
    assert b"raise the limit, then retry" in done.stderr
    assert part_bytes(tmp_path) == MIB
    assert pull(tmp_path, hub, "org/m").returncode == 0
    assert starts(hub) == [0, MIB]


def test_a_bar_on_a_terminal(tmp_path: Path, hub: LoopbackHub) -> None:
    hub.fail("cdn", Slow(2 * MIB), times=1)
    hub.fail("cdn", IgnoreRange())
    variables = {key: value for key, value in environment(tmp_path, env(hub)).items() if os.environ.get(key) != value}
    with Terminal(
        [sys.executable, "-m", "tui", "pull", "org/m"], columns=100, rows=12, env=variables, cwd=str(ROOT)
    ) as terminal:
        terminal.wait(lambda screen: "█" in screen and "of 3 MiB" in screen and "/s" in screen)
        assert terminal.end() == 0
        assert "█" not in terminal.text(), "the bar is gone when it is done"
        assert NAME in terminal.text().replace("\n", "")
