"""The loopback hub is worth something only if the real client takes it for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, get_hf_file_metadata, get_session, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import RepoFile, RepoFolder

from tests.rigs.hub import (
    CAPTIVE_PORTAL,
    Answer,
    Changed,
    Corrupt,
    Cut,
    IgnoreRange,
    LoopbackHub,
    Repo,
    Reset,
    Slow,
    Stall,
    WrongLength,
    of_bytes,
    of_file,
    rate_limited,
    with_hole,
)
from tests.rigs.hub.environment import hub_home

TOKEN = "hf_loopback"
WEIGHTS = of_bytes(bytes(range(256)) * 1000)
README = of_bytes(b"# A model\n")
GGUF_FACTS = {"total": 8_000_000_000, "architecture": "llama", "context_length": 8192}
FIRST = Repo(
    "org/first-GGUF",
    {"first-Q4_K_M.gguf": WEIGHTS, "README.md": README, "more/deep-Q8_0.gguf": with_hole(b"GGUF", 20 << 30)},
    revisions={"refs/pr/1": {"other.gguf": of_bytes(b"other")}},
    downloads=5,
    likes=1,
    gguf=GGUF_FACTS,
)
REPOS = (
    FIRST,
    Repo("org/second-GGUF", {}, downloads=9, likes=3, gguf={"total": 1_000_000_000}),
    Repo("acme/gated", {"a.gguf": WEIGHTS}, gated="manual", downloads=7),
    Repo("acme/private", {"a.gguf": WEIGHTS}, private=True),
    Repo("acme/plain", {"model.safetensors": WEIGHTS}, tags=("transformers",), downloads=20),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with hub_home(tmp_path / "home", monkeypatch) as folder:
        yield folder


@pytest.fixture
def hub(home: Path) -> Iterator[LoopbackHub]:
    with LoopbackHub(*REPOS, tokens={TOKEN: ("acme/gated", "acme/private"), "hf_nobody": ()}) as running:
        yield running


@pytest.fixture
def api(hub: LoopbackHub) -> HfApi:
    return HfApi(endpoint=hub.endpoint, token=False)


def names(found: Iterator[object]) -> list[str]:
    return [str(getattr(info, "id", "")) for info in found]


def test_a_list_is_filtered_sorted_and_comes_in_pages(hub: LoopbackHub, api: HfApi) -> None:
    hub.page = 1
    found = api.list_models(filter="gguf", apps="llama.cpp", sort="downloads")
    assert names(iter(found)) == ["org/second-GGUF", "acme/gated", "org/first-GGUF"]
    assert hub.count("models") == 3
    assert names(iter(api.list_models(search="FIRST"))) == ["org/first-GGUF"]
    assert names(iter(api.list_models(author="acme", gated=True))) == ["acme/gated"]
    assert names(iter(api.list_models(num_parameters="min:2B,max:9B"))) == ["org/first-GGUF"]
    assert names(iter(api.list_models(filter="gguf", sort="likes", limit=2))) == ["org/second-GGUF", "org/first-GGUF"]


def test_expanded_entries_hold_what_was_asked_for(api: HfApi) -> None:
    (info,) = api.list_models(search="first", expand=["gguf", "downloads", "gated", "lastModified", "tags"])
    assert (info.gguf, info.downloads, info.gated, info.tags) == (GGUF_FACTS, 5, False, ["gguf"])
    assert info.last_modified is not None
    assert info.likes is None


def test_one_repository_with_sizes_and_sums(api: HfApi) -> None:
    info = api.model_info("org/first-GGUF", files_metadata=True, timeout=5)
    files = {sibling.rfilename: sibling for sibling in info.siblings or ()}
    assert info.sha is not None
    assert len(info.sha) == 40
    assert files["first-Q4_K_M.gguf"].size == WEIGHTS.size
    lfs = files["first-Q4_K_M.gguf"].lfs
    assert lfs is not None
    assert lfs.sha256 == WEIGHTS.sha256
    assert files["README.md"].lfs is None
    pinned = api.model_info("org/first-GGUF", revision="refs/pr/1")
    assert [sibling.rfilename for sibling in pinned.siblings or ()] == ["other.gguf"]
    assert api.model_info("org/first-GGUF", revision=info.sha).sha == info.sha


def test_trees_and_paths(hub: LoopbackHub, api: HfApi) -> None:
    hub.page = 1
    flat = list(api.list_repo_tree("org/first-GGUF"))
    assert [(type(row), row.path) for row in flat] == [
        (RepoFile, "README.md"),
        (RepoFile, "first-Q4_K_M.gguf"),
        (RepoFolder, "more"),
    ]
    assert [row.path for row in api.list_repo_tree("org/first-GGUF", "more")] == ["more/deep-Q8_0.gguf"]
    assert "more/deep-Q8_0.gguf" in [row.path for row in api.list_repo_tree("org/first-GGUF", recursive=True)]
    (row,) = api.get_paths_info("org/first-GGUF", ["more/deep-Q8_0.gguf", "none"])
    assert isinstance(row, RepoFile)
    assert row.size == 20 << 30


def test_a_large_file_lies_at_another_origin_and_the_token_stays_behind(hub: LoopbackHub, tmp_path: Path) -> None:
    url = hf_hub_url("acme/gated", "a.gguf", endpoint=hub.endpoint)
    meta = get_hf_file_metadata(url, token=TOKEN)
    assert (meta.etag, meta.size) == (WEIGHTS.sha256, WEIGHTS.size)
    assert not meta.location.startswith(hub.endpoint)
    got = hf_hub_download("acme/gated", "a.gguf", endpoint=hub.endpoint, token=TOKEN, cache_dir=tmp_path / "cache")
    assert Path(got).read_bytes() == WEIGHTS.read(0, WEIGHTS.size)
    assert [seen.token for seen in hub.seen("cdn")] == [None]
    assert {seen.token for seen in hub.seen("resolve")} == {TOKEN}
    assert hub.sent_bytes("cdn") == WEIGHTS.size


def test_a_small_file_stays_on_the_hub(hub: LoopbackHub, tmp_path: Path) -> None:
    got = hf_hub_download("org/first-GGUF", "README.md", endpoint=hub.endpoint, cache_dir=tmp_path / "cache")
    assert Path(got).read_bytes() == b"# A model\n"
    assert hub.count("cdn") == 0


def test_a_file_of_this_disk_is_served_as_it_is(home: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"0123456789")
    with LoopbackHub(Repo("a/b", {"x.gguf": of_file(tmp_path / "file")})) as hub:
        got = hf_hub_download("a/b", "x.gguf", endpoint=hub.endpoint, cache_dir=tmp_path / "cache")
        assert Path(got).read_bytes() == b"0123456789"


def part(hub: LoopbackHub, first: int, last: int | str = "", file: str = "first-Q4_K_M.gguf") -> httpx2.Response:
    url = hf_hub_url("org/first-GGUF", file, endpoint=hub.endpoint)
    return get_session().get(url, headers={"Range": f"bytes={first}-{last}"}, timeout=5)


def test_ranges(hub: LoopbackHub) -> None:
    inside = part(hub, 256, 259)
    assert (inside.status_code, inside.content) == (206, b"\0\1\2\3")
    assert inside.headers["Content-Range"] == f"bytes 256-259/{WEIGHTS.size}"
    assert part(hub, WEIGHTS.size - 1).content == b"\xff"
    assert part(hub, WEIGHTS.size).status_code == 416
    deep = part(hub, (20 << 30) - 4, file="more/deep-Q8_0.gguf")
    assert (deep.status_code, deep.content) == (206, bytes(4))


def test_who_may_see_what(hub: LoopbackHub, api: HfApi) -> None:
    assert api.model_info("acme/gated").gated == "manual"
    for token in (False, "hf_nobody"):
        with pytest.raises(GatedRepoError):
            api.auth_check("acme/gated", token=token)
        with pytest.raises(GatedRepoError):
            get_hf_file_metadata(hf_hub_url("acme/gated", "a.gguf", endpoint=hub.endpoint), token=token)
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("acme/private", token=token)
    api.auth_check("acme/gated", token=TOKEN)
    assert api.model_info("acme/private", token=TOKEN).private
    assert "acme/private" not in names(iter(api.list_models()))
    assert "acme/private" in names(iter(api.list_models(token=TOKEN)))
    assert api.whoami(token=TOKEN)["name"] == "someone"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        api.whoami(token="hf_wrong")


def test_what_is_not_there(hub: LoopbackHub, api: HfApi) -> None:
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/none")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("org/first-GGUF", revision="v2")
    with pytest.raises(RemoteEntryNotFoundError):
        get_hf_file_metadata(hf_hub_url("org/first-GGUF", "none.gguf", endpoint=hub.endpoint), token=False)


@pytest.mark.parametrize("status", [403, 404, 429, 500, 503])
@pytest.mark.parametrize("route", ["model", "resolve", "cdn"])
def test_a_status_on_a_route_for_as_long_as_it_was_said(hub: LoopbackHub, route: str, status: int) -> None:
    hub.fail(route, Answer(status), times=1, skip=1)
    url = {"model": f"{hub.endpoint}/api/models/org/first-GGUF"}.get(
        route, hf_hub_url("org/first-GGUF", "first-Q4_K_M.gguf", endpoint=hub.endpoint)
    )
    assert [get_session().get(url, timeout=5).status_code for _ in range(3)] == [200, status, 200]


def test_limits_of_rate_and_portals(hub: LoopbackHub, api: HfApi) -> None:
    hub.fail("model", rate_limited(7), CAPTIVE_PORTAL, times=1)
    with pytest.raises(HfHubHTTPError, match="Retry after 7 seconds"):
        api.model_info("org/first-GGUF")
    with pytest.raises(ValueError, match="Expecting value"):
        api.model_info("org/first-GGUF")


def test_connections_that_end_early(hub: LoopbackHub) -> None:
    hub.fail("cdn", Cut(), Cut(after=1000), Reset(), Reset(after=1000), times=1)
    for error in (httpx2.RemoteProtocolError, httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.ReadError):
        with pytest.raises(error):
            part(hub, 0)
    assert part(hub, 0).status_code == 206


def test_connections_that_say_nothing(hub: LoopbackHub) -> None:
    hub.fail("cdn", Stall(), Stall(after=1000), times=1)
    url = hf_hub_url("org/first-GGUF", "first-Q4_K_M.gguf", endpoint=hub.endpoint)
    for _ in range(2):
        with pytest.raises(httpx2.ReadTimeout):
            get_session().get(url, timeout=0.2)


def test_files_that_are_not_what_was_asked_for(hub: LoopbackHub) -> None:
    other = of_bytes(b"another file altogether")
    hub.fail("cdn", IgnoreRange(), Corrupt(at=257), WrongLength(-10), WrongLength(10), Changed(other), times=1)
    assert (part(hub, 0, 9).status_code, hub.sent_bytes("cdn")) == (200, WEIGHTS.size)
    assert part(hub, 256, 259).content == b"\0\xfe\2\3"
    assert len(part(hub, 0, 99).content) == 90
    assert len(part(hub, 0, 99).content) == 110
    assert part(hub, 0, 6).content == b"another"
    assert part(hub, 0, 3).content == b"\0\1\2\3"


def test_an_address_expires(hub: LoopbackHub) -> None:
    first = part(hub, 0, 3)
    assert get_session().get(first.url, timeout=5).status_code == 200
    hub.signatures.expire()
    assert get_session().get(first.url, timeout=5).status_code == 403
    assert part(hub, 0, 3).status_code == 206
    hub.signatures.uses = 1
    again = part(hub, 0, 3)
    assert (again.status_code, get_session().get(again.url, timeout=5).status_code) == (206, 403)


def test_a_slow_body_comes_in_small_pieces(hub: LoopbackHub) -> None:
    hub.fail("cdn", Slow(bytes_s=200_000))
    url = hf_hub_url("org/first-GGUF", "first-Q4_K_M.gguf", endpoint=hub.endpoint)
    with get_session().stream("GET", url, timeout=5) as response:
        assert len(next(response.iter_raw())) <= 10_000
    assert hub.sent_bytes("cdn") < WEIGHTS.size


def test_a_hub_that_goes_leaves_no_one_waiting(home: Path) -> None:
    with LoopbackHub(FIRST) as hub:
        hub.fail("resolve", Stall())
        with pytest.raises(httpx2.TimeoutException):
            get_session().get(f"{hub.endpoint}/org/first-GGUF/resolve/main/README.md", timeout=0.2)
    with pytest.raises(httpx2.ConnectError):
        get_session().get(hub.endpoint, timeout=5)
