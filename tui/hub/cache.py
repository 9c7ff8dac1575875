"""Deleting from the Hugging Face cache through its own client, which knows what its revisions share. Asks no hub.

Blocks: the client looks through the whole cache.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tui.config.plain import one_line
from tui.hub.client import prepare
from tui.hub.errors import HubError

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo, DeleteCacheStrategy


@dataclass(frozen=True, slots=True)
class CacheDeletion:
    """What the client would delete."""

    files: tuple[Path, ...]
    """Names in every revision that has the same bytes, sorted."""
    blobs: tuple[Path, ...]
    """Where those bytes lie."""
    whole_repo: bool
    """True when nothing else of the repository is here, so that all of it goes."""
    strategy: DeleteCacheStrategy
    cache: Path


def plan_cache_deletion(cache: Path, files: Collection[Path]) -> CacheDeletion:
    """What deleting these files (links in snapshots) takes away. Raises HubError when the client does not know one."""
    prepare()
    from huggingface_hub import CacheNotFound, scan_cache_dir

    try:
        info = scan_cache_dir(cache)
    except (CacheNotFound, OSError, ValueError) as error:
        raise HubError(f"the Hugging Face cache cannot be read ({one_line(str(error))})") from error
    # The client names files below the cache's real folder.
    wanted = {Path(os.path.realpath(file.parent)) / file.name for file in files}
    repo = next((repo for repo in info.repos if any(wanted & _paths(repo))), None)
    if repo is None or not wanted <= _paths(repo):
        told = "; ".join(one_line(str(warning)) for warning in info.warnings if str(cache) in str(warning))
        where = f" ({told})" if told else ""
        raise HubError(
            f"the Hub's client does not know {sorted(wanted)[0]}{where}; delete its repository's folder by hand"
        )
    there = [file for revision in repo.revisions for file in revision.files]
    blobs = {file.blob_path for file in there if file.file_path in wanted}
    going = [file for file in there if file.blob_path in blobs]
    whole = len(going) == len(there)
    if whole:
        # A copy of a repository has the same commits, and the client takes the first that has one.
        alone = replace(info, repos=frozenset({repo}))
        strategy = alone.delete_revisions(*(revision.commit_hash for revision in repo.revisions))
    else:
        strategy = info.delete_files(*going)
    names = tuple(sorted(file.file_path for file in going))
    return CacheDeletion(names, tuple(sorted(blobs)), whole, strategy, cache)


def execute(deletion: CacheDeletion) -> None:
    """Delete. Raises HubError when it would take away something else by now, and when something is left afterwards."""
    # A person may have thought about it for long, and another program have fetched what shares these bytes.
    now = plan_cache_deletion(deletion.cache, deletion.files)
    if (now.files, now.blobs, now.whole_repo) != (deletion.files, deletion.blobs, deletion.whole_repo):
        raise HubError(f"{deletion.files[0]}: the cache has changed meanwhile; look at what would be deleted again")
    try:
        now.strategy.execute()
    except OSError as error:
        raise HubError(f"{error.filename}: cannot be deleted ({(error.strerror or str(error)).lower()})") from error
    # The client lets failures go with a line in its log.
    left = [path for path in (*deletion.files, *deletion.blobs) if path.is_symlink() or path.exists()]
    if left:
        raise HubError(f"{left[0]}: could not be deleted; check its permissions and its folder's")


def _paths(repo: CachedRepoInfo) -> set[Path]:
    return {file.file_path for revision in repo.revisions for file in revision.files}
