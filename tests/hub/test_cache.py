"""Deleting from the cache is the client's doing: its revisions stay whole, and shared bytes go with their last name."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from tests.library.conftest import HubCache
from tui.hub.cache import execute, plan_cache_deletion
from tui.hub.errors import HubError


@pytest.fixture
def cache(tmp_path: Path) -> HubCache:
    """A cache with nothing in it yet."""
    return HubCache(tmp_path / "cache")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two files to put into it."""
    for name in ("one", "two"):
        (tmp_path / name).write_text(name * 1000)
    return tmp_path / "one", tmp_path / "two"


def test_the_last_file_takes_the_repository_along(cache: HubCache, files: tuple[Path, Path]) -> None:
    link = cache.put("org/m", "m.gguf", files[0])
    # Copies of the repository have the same commit.
    others = [cache.put(f"org/n{number}", "n.gguf", files[0]) for number in range(8)]
    deletion = plan_cache_deletion(cache.root, [link])
    assert (deletion.files, deletion.whole_repo) == ((link,), True)
    assert link.exists()
    execute(deletion)
    assert not (cache.root / "models--org--m").exists()
    assert all(other.exists() for other in others)


def test_what_else_is_there_stays(cache: HubCache, files: tuple[Path, Path]) -> None:
    link = cache.put("org/m", "m.gguf", files[0])
    readme = cache.put("org/m", "README.md", files[1])
    blob = link.resolve()
    deletion = plan_cache_deletion(cache.root, [link])
    assert (deletion.blobs, deletion.whole_repo) == ((blob,), False)
    execute(deletion)
    assert not blob.exists()
    assert readme.exists()
    (repo,) = scan_cache_dir(cache.root).repos
    assert [file.file_name for revision in repo.revisions for file in revision.files] == ["README.md"]


def test_older_revisions_give_up_the_same_bytes(cache: HubCache, files: tuple[Path, Path]) -> None:
    new = cache.put("org/m", "m.gguf", files[0], commit="a" * 40)
    old = cache.put("org/m", "m.gguf", files[0], commit="b" * 40, main=False)
    kept = cache.put("org/m", "n.gguf", files[1], commit="b" * 40, main=False)
    deletion = plan_cache_deletion(cache.root, [new])
    assert deletion.files == (new, old)
    execute(deletion)
    assert [new.is_symlink(), old.is_symlink(), kept.exists()] == [False, False, True]


def test_a_cache_behind_a_link_is_the_same_cache(cache: HubCache, files: tuple[Path, Path], tmp_path: Path) -> None:
    link = cache.put("org/m", "m.gguf", files[0])
    (tmp_path / "behind").symlink_to(cache.root)
    execute(plan_cache_deletion(tmp_path / "behind", [tmp_path / "behind" / link.relative_to(cache.root)]))
    assert not link.is_symlink()


def test_what_the_client_cannot_read_is_told(cache: HubCache, files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(HubError, match="cannot be read"):
        plan_cache_deletion(tmp_path / "nowhere", [files[0]])
    link = cache.put("org/m", "m.gguf", files[0])
    with pytest.raises(HubError, match="does not know"):
        plan_cache_deletion(cache.root, [link.with_name("other.gguf")])
    link.resolve().unlink()
    with pytest.raises(HubError, match=r"broken symlink.*by hand"):
        plan_cache_deletion(cache.root, [link])


def test_what_would_go_with_it_by_now_is_asked_about_again(cache: HubCache, files: tuple[Path, Path]) -> None:
    link = cache.put("org/m", "m.gguf", files[0])
    deletion = plan_cache_deletion(cache.root, [link])
    fresh = cache.put("org/m", "m.gguf", files[0], commit="b" * 40, main=False)
    with pytest.raises(HubError, match="has changed meanwhile"):
        execute(deletion)
    assert link.exists()
    assert fresh.exists()
