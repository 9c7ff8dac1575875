"""What a person means by MODEL: a path, a library name, `org/repo`, `org/repo:QUANT`, or a hub address, as a model that
is on this disk.

Whatever cannot be found, or could mean several, is said in one line that names what is near.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from tui.config.plain import one_line
from tui.gguf.names import same_quant
from tui.hub.address import own_endpoint, repo_address, web_address
from tui.library.model import LibraryError, Model, shown

_MOST_NAMED = 4


class ModelNotFound(Exception):
    """No model, or several, by what a person wrote; the text is one line that says what there is."""


def resolve(text: str, models: Sequence[Model]) -> Model:
    """The model that `text` means among `models`, or in a file that it names.

    A library name counts first, then a file, then a repository, then the beginning of one name. Case never counts. The
    model found may have a `problem`. Raises ModelNotFound.
    """
    wanted = text.strip()
    if not wanted:
        raise ModelNotFound("no model named; `puna ls` shows what is here")
    address = web_address(wanted, own_endpoint())
    if address is not None:
        return _in_repo(address.repo, address.quant, address.file, models)
    exact = next((model for model in models if _same(model.name, wanted)), None) or _by_other_name(wanted, models)
    if exact is not None:
        return exact
    path = Path(os.path.expanduser(wanted))  # noqa: PTH111 - Path.expanduser raises for an unknown user
    if os.path.lexists(path) and not os.path.isdir(path):  # noqa: PTH112 - pathlib raises without permission
        return _at(path, models)
    address = repo_address(wanted)
    if address is not None and any(model.repo and _same(model.repo, address.repo) for model in models):
        return _in_repo(address.repo, address.quant, None, models)
    begins = [model for model in models if any(_begins(name, wanted) for name in _names(model))]
    if len(begins) == 1:
        return begins[0]
    if begins:
        raise ModelNotFound(f"{_quoted(wanted)} is the beginning of several: {_listed([m.name for m in begins])}")
    raise ModelNotFound(_nowhere(wanted, path, models))


def names_repository(text: str) -> bool:
    """True for what can mean a repository on the Hub, which may not be on this disk: org/repo, or an address."""
    wanted = text.strip()
    if web_address(wanted, own_endpoint()) is not None:
        return True
    is_path = wanted.startswith((".", "/", "~")) or wanted.lower().endswith(".gguf")
    return not is_path and repo_address(wanted) is not None


def _at(path: Path, models: Sequence[Model]) -> Model:
    """The library's own entry of a file, else one made for it."""
    from tui.library.single import entry_for

    real = os.path.realpath(path)
    for model in models:
        if any(os.path.realpath(each) == real for each in (model.path, *(place.path for place in model.also))):
            return model
    try:
        entry = entry_for(path)
    except LibraryError as error:
        raise ModelNotFound(str(error)) from error
    # Any shard stands for the whole, which the library may know.
    real = os.path.realpath(entry.path)
    return next((model for model in models if os.path.realpath(model.path) == real), entry)


def _in_repo(repo: str, quant: str | None, file: str | None, models: Sequence[Model]) -> Model:
    there = [model for model in models if model.repo and _same(model.repo, repo)]
    if not there:
        raise ModelNotFound(f"{_quoted(repo)} is not on this machine{_near(repo, models)} `puna ls` shows what is here")
    chosen = _one_of_copies([model for model in there if _fits(model, quant, file)])
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        whole = [model for model in chosen if model.problem is None]
        if len(whole) == 1:
            return whole[0]
        raise ModelNotFound(f"{repo} has several files here; name one: {_listed(_choices(chosen))}")
    raise ModelNotFound(f"of {repo} there is no {file or quant} here, but {_listed(_choices(there))}")


def _fits(model: Model, quant: str | None, file: str | None) -> bool:
    if file:
        return _same(model.file, file)
    return quant is None or (model.quant is not None and same_quant(model.quant, quant))


def _one_of_copies(models: Sequence[Model]) -> list[Model]:
    """The models without those that are the same file of the repository in another program's folder; a whole one counts
    before a broken one."""
    chosen: dict[str, Model] = {}
    for model in sorted(models, key=lambda each: each.problem is not None):
        chosen.setdefault(model.identity, model)
    return [model for model in models if model in chosen.values()]


def _choices(models: Sequence[Model]) -> list[str]:
    """How to name each: by its quantization where that is enough, else by its name."""
    quants = [model.quant for model in models]
    told_apart = None not in quants and len(set(quants)) == len(quants)
    return [f"{model.repo}:{model.quant}" if told_apart else model.name for model in models]


def _nowhere(wanted: str, path: Path, models: Sequence[Model]) -> str:
    if wanted.lower().startswith(("http://", "https://")):
        hubs = " or ".join(("huggingface.co", *filter(None, [one_line(own_endpoint())])))
        return f"{_quoted(wanted)} names no repository of {hubs}; another hub is named in HF_ENDPOINT"
    if os.path.isdir(path):  # noqa: PTH112
        return f"{_quoted(wanted)} is a folder; name a model file in it, or add it: puna add {shown(path)}"
    if wanted.lower().endswith(".gguf") or wanted.startswith((".", "/", "~")):
        return f"there is no file {_quoted(wanted)}{_near(path.stem, models)} `puna ls` shows what is here"
    if not models:
        return f"no model is called {_quoted(wanted)}: there is none here yet; `puna add PATH` adds a file or a folder"
    return f"no model is called {_quoted(wanted)}{_near(wanted, models)} `puna ls` shows what is here"


def _near(wanted: str, models: Sequence[Model]) -> str:
    """The nearest names as a half sentence, or only the sign that divides two."""
    import difflib

    names = {name.casefold(): name for model in models for name in (*_names(model), model.repo) if name}
    close = difflib.get_close_matches(wanted.casefold(), names, n=_MOST_NAMED - 1, cutoff=0.5)
    inside = [name for name in names if wanted.casefold() in name and name not in close]
    near = [names[name] for name in (*close, *inside)][: _MOST_NAMED - 1]
    return f"; did you mean {_listed(near, ' or ')}?" if near else ";"


def _names(model: Model) -> tuple[str, ...]:
    """What a model is called in the library, and in its other places."""
    return model.name, *(place.name for place in model.also)


def _by_other_name(wanted: str, models: Sequence[Model]) -> Model | None:
    """The one model that is called so in another of its places."""
    called = [model for model in models if any(_same(name, wanted) for name in _names(model))]
    return called[0] if len(called) == 1 else None


def _begins(name: str, start: str) -> bool:
    return name.casefold().startswith(start.casefold())


def _same(one: str, other: str) -> bool:
    return one.casefold() == other.casefold()


def _listed(names: Sequence[str], between: str = ", ") -> str:
    text = between.join(names[:_MOST_NAMED])
    return text if len(names) <= _MOST_NAMED else f"{text} and {len(names) - _MOST_NAMED} more"


def _quoted(text: str) -> str:
    """What was typed, short and without control characters."""
    kept = one_line(text)
    return f"'{kept if len(kept) <= 100 else kept[:99] + '…'}'"
