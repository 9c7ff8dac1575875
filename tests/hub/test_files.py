"""A repository's GGUF files as rows."""

from __future__ import annotations

import dataclasses
import posixpath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hub.conftest import TOKEN, Serve, impatient
from tests.rigs.hub import CAPTIVE_PORTAL, Answer, Repo, Stall, of_bytes, with_hole
from tui.hub import errors
from tui.hub.client import Hub
from tui.hub.files import RemoteFile, is_safe, repo_files, rows_of

A = of_bytes(b"GGUF a")


def big(name: str, gib: float) -> tuple[str, object]:
    return name, with_hole(name.encode(), int(gib * (1 << 30)))


def test_one_row_a_quantization_with_exact_bytes_and_sums(serve: Serve) -> None:
    files = {
        "README.md": of_bytes(b"# m"),
        "m-Q8_0.gguf": with_hole(b"8", 9 << 30),
        "m-Q4_K_M.gguf": with_hole(b"4", 5 << 30),
        "BF16/m-BF16-00002-of-00002.gguf": with_hole(b"b2", 7 << 30),
        "BF16/m-BF16-00001-of-00002.gguf": with_hole(b"b1", 8 << 30),
        "mmproj-F16.gguf": A,
        "imatrix.gguf": A,
        "mtp-m-Q4_0.gguf": A,
    }
    loopback, hub = serve(Repo("org/m", files, gated="manual"))
    found = repo_files(hub, "org/m")
    assert [(row.quant, row.file_bytes >> 30, row.shards, row.problem) for row in found.rows] == [
        ("Q4_K_M", 5, 1, None),
        ("Q8_0", 9, 1, None),
        ("BF16", 15, 2, None),
    ]
    assert found.rows[2].path == "BF16/m-BF16-00001-of-00002.gguf"
    assert found.rows[0].files[0].sha256 == files["m-Q4_K_M.gguf"].sha256
    assert [file.path for file in (*found.projectors, *found.imatrices, *found.drafts)] == [
        "mmproj-F16.gguf",
        "imatrix.gguf",
        "mtp-m-Q4_0.gguf",
    ]
    assert (found.gated, found.notes) == ("manual", ())
    assert found.commit == loopback.repos["org/m"].at("main")[0]  # type: ignore[index]
    assert [seen.route for seen in loopback.requests] == ["model"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.repo = "other"  # type: ignore[misc]


def test_shards_are_joined_by_folder_and_count_and_the_missing_are_told(serve: Serve) -> None:
    files = {
        "Q4_K_M/m-00001-of-00003.gguf": A,
        "Q4_K_M/m-00003-of-00003.gguf": A,
        "Q8_0/m-00001-of-00003.gguf": A,
        "Q8_0/m-00002-of-00003.gguf": A,
        "Q8_0/m-00003-of-00003.gguf": A,
        "m-Q2_K-00009-of-00009.gguf": A,
        "m-Q3_K_S.gguf": of_bytes(b""),
    }
    _, hub = serve(Repo("org/m", files))
    problems = {row.quant: row.problem for row in repo_files(hub, "org/m").rows}
    assert problems["Q8_0"] is None
    assert problems["Q4_K_M"] == "shard 2 of 3 is missing there; choose another quantization"
    assert problems["Q2_K"] == "8 of 9 shards are missing there; choose another quantization"
    assert problems["Q3_K_S"] == "is empty there; choose another quantization"


def test_a_repository_of_drafts_lists_them(serve: Serve) -> None:
    _, hub = serve(Repo("org/m-draft", {"m-draft-Q4_K_M.gguf": A, "m-draft-Q8_0.gguf": A}))
    found = repo_files(hub, "org/m-draft")
    assert ([row.quant for row in found.rows], found.drafts) == (["Q4_K_M", "Q8_0"], ())


def test_a_branch_has_files_of_its_own(serve: Serve) -> None:
    _, hub = serve(Repo("org/m", {"m-Q8_0.gguf": A}, revisions={"refs/pr/1": {"m-Q4_0.gguf": A}}))
    main, branch = repo_files(hub, "org/m"), repo_files(hub, "org/m", "refs/pr/1")
    assert ([row.quant for row in branch.rows], branch.commit != main.commit) == (["Q4_0"], True)
    assert repo_files(hub, "org/m", branch.commit) == branch


BAD_NAMES = [
    "../up.gguf", "a/../../up.gguf", "/etc/x.gguf", "a//b.gguf", "./a.gguf", "a/..gguf/.. /x.gguf", "..\\up.gguf",
    "a\x1b[2J.gguf", "a\x00.gguf", "a\nb.gguf", "a\u202egguf.gguf", " /a.gguf", "x" * 2000 + ".gguf",
    "a" + 20 * "\u0301" + ".gguf", "a\tb.gguf",
]  # fmt: skip


def test_names_that_are_not_safe_are_left_out_and_noted(serve: Serve) -> None:
    files = {**dict.fromkeys(BAD_NAMES, A), "good [red]-Q4_0.gguf": A}
    _, hub = serve(Repo("org/m", files))
    found = repo_files(hub, "org/m")
    assert [row.path for row in found.rows] == ["good [red]-Q4_0.gguf"]
    assert len(found.notes) == len(BAD_NAMES)
    assert all(note.isprintable() and len(note) < 200 for note in found.notes)


@settings(max_examples=200)
@given(st.text("./\\ ab\x1b\u202e\n", max_size=12))
def test_a_safe_name_stays_below_its_folder(name: str) -> None:
    if is_safe(name):
        assert posixpath.normpath(posixpath.join("/root", name)) == f"/root/{name}"
        assert name.isprintable()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(0, 9)), max_size=20))
def test_no_file_is_lost_or_counted_twice(parts: list[tuple[int, int, int]]) -> None:
    names = {f"m-Q4_0-{number:05d}-of-{count:05d}.gguf": size for number, count, size in parts}
    rows = rows_of(RemoteFile(name, size, None) for name, size in names.items())
    assert sorted(file.path for row in rows for file in row.files) == sorted(names)
    assert [row.file_bytes for row in rows] == sorted(row.file_bytes for row in rows)
    whole = [row for row in rows if row.problem is None]
    assert all(len(row.files) == row.shards and row.file_bytes for row in whole)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"{}", errors.NotAHub),
        (b"[]", errors.NotAHub),
        (b'{"id": "org/m"}', errors.NotAHub),
        (b'{"id": "org/m", "sha": "main", "siblings": []}', errors.NotAHub),
        (b'{"id": "org/m", "sha": 5, "siblings": [{"rfilename": "a.gguf", "lfs": {"size": 1}}]}', errors.NotAHub),
    ],
)
def test_answers_that_lack_what_a_hub_says(serve: Serve, answer: bytes, kind: type[errors.HubError]) -> None:
    loopback, hub = serve()
    loopback.fail("model", Answer(200, body=answer))
    with pytest.raises(kind, match="is no hub"):
        repo_files(hub, "org/m")


def test_files_without_a_size_or_a_sum(serve: Serve) -> None:
    siblings = (
        b'[{"rfilename": "a-Q4_0.gguf"}, {"rfilename": "b-Q4_0.gguf", "size": -1}, {"rfilename": 7},'
        b' {"rfilename": "c-Q4_0.gguf", "size": 5}, {"rfilename": "d-Q8_0.gguf", "size": 6, "lfs":'
        b' {"size": 6, "sha256": "../x", "pointerSize": 1}}]'
    )
    loopback, hub = serve()
    body = b'{"id": "../../evil", "sha": "' + b"a" * 40 + b'", "gated": null, "siblings": ' + siblings + b"}"
    loopback.fail("model", Answer(200, body=body))
    found = repo_files(hub, "org/m")
    assert [(row.path, row.file_bytes, row.files[0].sha256) for row in found.rows] == [
        ("c-Q4_0.gguf", 5, None),
        ("d-Q8_0.gguf", 6, None),
    ]
    assert (found.repo, found.gated, len(found.notes)) == ("org/m", None, 2)


@pytest.mark.parametrize(
    ("repo", "fault", "kind", "words"),
    [
        ("org/none", None, errors.NotFound, "has no repository 'org/none', or it is private"),
        ("not a repo", None, errors.NotFound, "'not a repo' is no name of a repository"),
        ("a/b/c", None, errors.NotFound, "org/repo"),
        ("org/m", CAPTIVE_PORTAL, errors.NotAHub, "open a web page"),
        ("org/m", Answer(403, message="no"), errors.NotAllowed, "log in with"),
        ("org/m", Answer(403, message="Access to this resource is disabled."), errors.NotAllowed, "has disabled org/m"),
        ("org/m", Answer(429), errors.RateLimited, "in a few minutes"),
        ("org/m", Answer(500), errors.HubTrouble, "status 500"),
        ("org/m", Answer(504), errors.HubTrouble, "try again in a while"),
        ("org/m", Stall(), errors.TimedOut, "within 0.3 s"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(
    serve: Serve, repo: str, fault: Answer | Stall | None, kind: type[errors.HubError], words: str
) -> None:
    loopback, hub = serve(Repo("org/m", {}))
    if fault is not None:
        loopback.fail("model", fault)
    with pytest.raises(kind, match=words) as caught:
        repo_files(impatient(hub) if isinstance(fault, Stall) else hub, repo)
    assert str(caught.value).isprintable()


def test_private_repositories_and_tokens(serve: Serve) -> None:
    loopback, hub = serve(Repo("org/m", {"m-Q4_0.gguf": A}, private=True), may=("org/m",))
    with pytest.raises(errors.NotFound, match="it is private"):
        repo_files(hub, "org/m")
    assert len(repo_files(dataclasses.replace(hub, token=TOKEN), "org/m").rows) == 1
    loopback.tokens[TOKEN] = ()
    with pytest.raises(errors.NotFound, match="your token may not see it"):
        repo_files(dataclasses.replace(hub, token=TOKEN), "org/m")
    with pytest.raises(errors.BadToken, match="does not accept your token"):
        repo_files(dataclasses.replace(hub, token="hf_old"), "org/m")
    loopback.tokens[TOKEN] = ("org/m",)
    with pytest.raises(errors.NotFound, match="no revision 'v9'"):
        repo_files(dataclasses.replace(hub, token=TOKEN), "org/m", "v9")


def test_offline_asks_nothing(serve: Serve) -> None:
    loopback, hub = serve(Repo("org/m", {}))
    with pytest.raises(errors.Offline, match="unset HF_HUB_OFFLINE"):
        repo_files(dataclasses.replace(hub, offline=True), "org/m")
    assert loopback.requests == []


def test_no_hub_at_all(serve: Serve) -> None:
    nobody = Hub("http://127.0.0.1:9")
    with pytest.raises(errors.Unreachable, match="no connection to 127"):
        repo_files(nobody, "org/m")
    with pytest.raises(errors.Unreachable, match="cannot be found; check the network and its DNS"):
        repo_files(Hub("http://no-such-host.invalid"), "org/m")
