"""`puna config`: where the settings files are, what counts now, what is wrong in them, and changing one value.

Results go to standard output, messages for people to standard error. What llama.cpp can take is checked here by the
rules of `tui.llama.settings`, which the settings files' own floor must not know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tui.cli.main import say
from tui.cli.output import show
from tui.config.errors import ConfigError, ConfigUsageError
from tui.config.paths import Paths, paths, share
from tui.config.plain import escaped

if TYPE_CHECKING:
    from tui.config.settings import Settings

_WHERE = (
    "config_file",
    "models_file",
    "user_themes_dir",
    "presets_dir",
    "history_file",
    "library_file",
    "cache",
    "log_file",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `path`, `show`, `check` and `set`."""
    actions = parser.add_subparsers(dest="config_action", required=True, metavar="ACTION")
    path = actions.add_parser("path", help="print where puna's files are")
    path.add_argument("--json", action="store_true", help="print one JSON object")
    show = actions.add_parser("show", help="print the settings that count now, defaults included, as TOML")
    show.add_argument("--json", action="store_true", help="print one JSON object")
    actions.add_parser("check", help="say what is wrong in config.toml and models.toml; exit 1 if anything is")
    change = actions.add_parser("set", help="change one setting in config.toml, keeping comments and order")
    change.add_argument("key", metavar="KEY", help="dotted name, such as load.n_ctx; `puna config show` lists them")
    change.add_argument("value", metavar="VALUE", help="the value, as in 8192, auto, true; lists as in a,b")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; 0 done, 1 refused or problems found, 2 no such key or no value of its type."""
    actions: Mapping[str, Callable[[Paths, argparse.Namespace], int]] = {
        "path": _path,
        "show": _show,
        "check": _check,
        "set": _set,
    }
    try:
        return actions[args.config_action](paths(), args)
    except ConfigError as error:
        say(str(error))
        return 2 if isinstance(error, ConfigUsageError) else 1


def _path(places: Paths, args: argparse.Namespace) -> int:
    found = {name: str(getattr(places, name)) for name in _WHERE}
    if args.json:
        print(json.dumps(found, indent=2))
        return 0
    width = max(map(len, found))
    for name, place in found.items():
        show(f"{name:<{width}}  {place}")
    return 0


def _show(places: Paths, args: argparse.Namespace) -> int:
    from tui.config.settings import load_config

    loaded = load_config(places)
    for problem in loaded.problems:
        say(str(problem))
    if args.json:
        import msgspec

        print(json.dumps(msgspec.to_builtins(loaded.settings), indent=2))
        return 0
    from tui.config.example import to_toml

    print(escaped(to_toml(loaded.settings)), end="")
    return 0


def _check(places: Paths, _: argparse.Namespace) -> int:
    from tui.config.model_file import read_models
    from tui.config.settings import load_config

    loaded = load_config(places)
    models, broken = read_models(places)
    problems = [
        *loaded.problems,
        *_refused(places, loaded.settings),
        *broken,
        *_refused_for_models(places, models),
    ]
    for problem in problems:
        say(str(problem))
    if not problems:
        print("no problems")
    return 1 if problems else 0


def _set(places: Paths, args: argparse.Namespace) -> int:
    from tui.config.fields import shown
    from tui.config.settings import set_value

    def check(before: Settings, after: Settings) -> None:
        """Refuse what llama.cpp would, unless it was wrong already and this change has nothing to do with it."""
        known = {str(problem) for problem in _refused(places, before)}
        for problem in _refused(places, after):
            if str(problem) not in known or problem.key == args.key:
                problem.line, problem.hint = None, "Nothing was changed."
                raise problem

    change = set_value(places, args.key, args.value, check=check)
    before = "not set" if change.before is None else shown(change.before)
    show(f"{change.key} = {shown(change.after, limit=1000)} (was {before})")
    return 0


def _refused(places: Paths, settings: Settings) -> Iterator[ConfigError]:
    """What is of the right type and cannot be all the same."""
    from tui.config.keys import key_problems

    yield from _refused_by_llama(places, settings)
    yield from _unknown_theme(places, settings)
    yield from key_problems(places, settings.keys)


def _unknown_theme(places: Paths, settings: Settings) -> Iterator[ConfigError]:
    from tui.config.errors import nearest_of
    from tui.config.settings import problem_at

    there = [file.stem for folder in (share("themes"), places.user_themes_dir) for file in folder.glob("*.toml")]
    if settings.ui.theme not in there:
        near = nearest_of(settings.ui.theme, there)
        yield problem_at(places, "ui.theme", "there is no such theme", nearest=near, hint="Correct the value.")


def _refused_for_models(places: Paths, models: Mapping[str, Mapping[str, Any]]) -> Iterator[ConfigError]:
    """Settings kept for a model that it could not be loaded with."""
    from tui.config.document import read_document
    from tui.llama.settings import SettingsError
    from tui.models.projectors import check_projector
    from tui.models.wishes import wished_settings

    for identity, kept in models.items():
        try:
            check_projector(wished_settings({}, kept, {}))
        except SettingsError as error:
            message = str(error).removeprefix(f"{error.setting}: ")
            line = read_document(places.models_file).line_of(identity, error.setting)
            key = f"{identity}.{error.setting}"
            yield ConfigError(message, file=places.models_file, line=line, key=key, hint="Correct or delete the line.")


def _refused_by_llama(places: Paths, settings: Settings) -> Iterator[ConfigError]:
    """What `tui.llama.settings` refuses: each value by itself, and when none is, all of a table together."""
    from tui.config.settings import problem_at
    from tui.llama.settings import LoadSettings, SamplingSettings, SettingsError

    def refused(section: str, struct: type[Any], values: Mapping[str, Any]) -> ConfigError | None:
        try:
            struct(**values)
        except SettingsError as error:
            message = str(error).removeprefix(f"{error.setting}: ")
            return problem_at(places, f"{section}.{error.setting}", message, hint="Correct the value.")
        return None

    for section, struct, values in (
        ("load", LoadSettings, settings.load.values()),
        ("chat", SamplingSettings, settings.chat.sampling()),
    ):
        alone = [refused(section, struct, {name: value}) for name, value in values.items()]
        found = [problem for problem in alone if problem is not None]
        together = None if found else refused(section, struct, values)
        yield from found if together is None else [together]
