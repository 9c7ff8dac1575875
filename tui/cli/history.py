"""`puna history`: conversations without the screen: listed, searched, shown, exported, imported, deleted, restored."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tui.cli.main import DONE, CommandError, say
from tui.cli.output import show, write_json
from tui.config.paths import paths

if TYPE_CHECKING:
    from tui.chat.records import Which
    from tui.chat.store import Store

_ID = "number of a conversation, as `puna history list` shows it"
_LISTED, _FOUND = 50, 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the actions and their arguments."""
    actions = parser.add_subparsers(dest="history_action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list conversations, pinned ones first, then the newest")
    listing.add_argument("--archived", action="store_true", help="those that were put away")
    listing.add_argument("--deleted", action="store_true", help="those that can be restored")
    listing.add_argument("--tag", default="", help="only those with this tag")
    _limit(listing, _LISTED)
    found = actions.add_parser("search", help="find words in titles and messages")
    found.add_argument("text", metavar="TEXT", nargs="+", help="words, or beginnings of words; all have to be there")
    _limit(found, _FOUND)
    one = actions.add_parser("show", help="print a conversation")
    one.add_argument("id", metavar="ID", type=_number, help=_ID)
    out = actions.add_parser("export", help="write conversations as Markdown or JSON")
    out.add_argument("id", metavar="ID", nargs="+", help=f"{_ID}, or all")
    out.add_argument(
        "--format",
        choices=("md", "json"),
        default="md",
        help="md: the branch that is shown, readable; json: everything",
    )
    out.add_argument("--output", metavar="PATH", help="a file, or a folder for one file each; without it stdout")
    back = actions.add_parser("import", help="add conversations from files")
    back.add_argument(
        "file", metavar="FILE", nargs="+", help="puna's own export, OpenAI-style messages, ShareGPT, ChatGPT's export"
    )
    gone = actions.add_parser("delete", help="delete conversations; restore brings them back")
    gone.add_argument("id", metavar="ID", nargs="+", type=_number, help=_ID)
    again = actions.add_parser("restore", help="bring deleted conversations back")
    again.add_argument("id", metavar="ID", nargs="+", type=_number, help=_ID)
    for action in (listing, found, one, back, gone, again):
        action.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    actions: Mapping[str, Callable[[Store, argparse.Namespace], int]] = {
        "list": _list,
        "search": _search,
        "show": _show,
        "export": _export,
        "import": _import,
        "delete": _delete,
        "restore": _restore,
    }
    with _history() as store:
        return actions[args.history_action](store, args)


@contextmanager
def _history() -> Iterator[Store]:
    """The history of this user. What is wrong with it, and with what is asked of it, is told."""
    from tui.chat.errors import ChatError
    from tui.chat.store import Store

    try:
        store = Store(paths().history_file)
        try:
            if store.report.damage:
                say(f"puna: {store.report.damage}")
            yield store
        finally:
            store.close()
    except ChatError as error:
        raise CommandError(str(error)) from error


def _list(store: Store, args: argparse.Namespace) -> int:
    from tui.cli.history_table import conversation_json, table

    which: Which = "deleted" if args.deleted else "archived" if args.archived else "open"
    found = store.conversations(args.limit, which=which, tag=args.tag)
    if args.json:
        write_json({"conversations": [conversation_json(one) for one in found]})
    elif found:
        show("\n".join(table(found)))
    else:
        say("no conversations")
    return DONE


def _search(store: Store, args: argparse.Namespace) -> int:
    from tui.cli.history_table import hit_json, hit_lines

    hits = store.search(" ".join(args.text), args.limit)
    if args.json:
        write_json({"hits": [hit_json(hit) for hit in hits]})
    elif hits:
        show("\n".join(hit_lines(hits)))
    else:
        say("nothing found")
    return DONE


def _show(store: Store, args: argparse.Namespace) -> int:
    from tui.cli.history_table import conversation_json, message_json, message_lines

    conversation = store.conversation(args.id)
    messages = store.thread(args.id)
    if args.json:
        write_json({**conversation_json(conversation), "messages": [message_json(one) for one in messages]})
    else:
        show("\n".join(message_lines(conversation, messages)))
    return DONE


def _export(store: Store, args: argparse.Namespace) -> int:
    from tui.cli.history_files import export

    if "all" in args.id:
        ids = [one.id for one in store.conversations(which="kept")]
    else:
        try:
            ids = [_number(text) for text in dict.fromkeys(args.id)]
        except (ValueError, argparse.ArgumentTypeError) as error:
            raise CommandError(f"{error}; name conversations by number, or write all") from error
    export(store, ids, args.format, args.output)
    return DONE


def _import(store: Store, args: argparse.Namespace) -> int:
    from tui.chat.exchange.moving import put_in
    from tui.cli.history_files import read
    from tui.cli.history_table import conversation_json, table

    portables = read(args.file)
    with store.transaction():  # files that belong together come in together
        made = [put_in(store, portable) for portable in portables]
    if args.json:
        write_json({"conversations": [conversation_json(one) for one in made]})
    elif made:
        show("\n".join(table(made)))
    else:
        say("there is no conversation in it")
    return DONE


def _delete(store: Store, args: argparse.Namespace) -> int:
    with store.transaction():
        for conversation_id in args.id:
            store.delete(conversation_id)
    _told(store, args, "deleted; `puna history restore {ids}` brings back")
    return DONE


def _restore(store: Store, args: argparse.Namespace) -> int:
    with store.transaction():
        for conversation_id in args.id:
            store.restore(conversation_id)
    _told(store, args, "restored")
    return DONE


def _told(store: Store, args: argparse.Namespace, what: str) -> None:
    from tui.cli.history_table import conversation_json, table

    changed = [store.conversation(conversation_id) for conversation_id in args.id]
    if args.json:
        write_json({"conversations": [conversation_json(one) for one in changed]})
        return
    show("\n".join(table(changed)))
    say(what.format(ids=" ".join(map(str, args.id))))


def _limit(parser: argparse.ArgumentParser, usual: int) -> None:
    parser.add_argument(
        "--limit", metavar="N", type=_number, default=usual, help=f"at most so many; {usual} without it"
    )


def _number(text: str) -> int:
    """A number from 1 on."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if not 0 < number < 1 << 63:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 on")
    return number
