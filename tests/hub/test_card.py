"""Model cards: fetched in bounds, made plain, and what becomes of a missing, a huge and a broken one."""

from __future__ import annotations

import threading

import pytest

from tests.hub.conftest import TOKEN, Serve, impatient
from tests.rigs.hub import CAPTIVE_PORTAL, Answer, Changed, Content, Cut, Repo, Stall, of_bytes, rate_limited
from tests.rigs.hub.faults import Fault
from tui.hub import errors
from tui.hub.card import MOST_BYTES, MOST_SHOWN, Card, card_of, fetch_card
from tui.hub.client import Hub
from tui.hub.files import repo_files

WEIGHTS = of_bytes(b"GGUF")
README = b"---\nlicense: mit\ntags:\n- gguf\n---\n\n# m <img src='http://x/p.png'>\n\nText.\n"


def repo(card: bytes | Content | None = README, **more: object) -> Repo:
    files = {"m-Q4_0.gguf": WEIGHTS}
    if card is not None:
        files["README.md"] = of_bytes(card) if isinstance(card, bytes) else card
    return Repo("org/m", files, **more)  # type: ignore[arg-type]


def card(hub: Hub, cancel: threading.Event | None = None) -> Card | None:
    return fetch_card(hub, repo_files(hub, "org/m"), cancel=cancel)


def test_a_card_is_that_of_the_commit_and_plain(serve: Serve) -> None:
    loopback, hub = serve(repo())
    assert card(hub) == Card("# m \n\nText.", False)
    assert loopback.seen("resolve")[0].path == f"/org/m/resolve/{repo_files(hub, 'org/m').commit}/README.md"


def test_a_repository_without_a_card(serve: Serve) -> None:
    _, hub = serve(repo(None))
    assert card(hub) is None


def test_of_a_huge_card_only_the_start_travels(serve: Serve) -> None:
    line = b"A line of a card that is far too long.\n"
    loopback, hub = serve(repo(line * ((10 << 20) // len(line))))
    found = card(hub)
    assert found is not None
    assert found.is_cut
    assert MOST_SHOWN - 100 < len(found.text) <= MOST_SHOWN
    assert set(found.text.split("\n")) == {line.decode().strip()}
    assert loopback.sent_bytes("resolve-cache") < 10 << 20


@pytest.mark.parametrize("data", [b"GGUF" + bytes(1000), bytes(range(256)) * 100, b"\x89PNG\r\n\x1a\n" + bytes(500)])
def test_a_card_that_is_no_text(serve: Serve, data: bytes) -> None:
    _, hub = serve(repo(data))
    assert card(hub) is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\xef\xbb\xbf---\r\na: b\r\n---\r\n# m\r\n", "# m"),
        (b"---\nnever closed\n# m", "---\nnever closed\n# m"),
        (b"---\n---\n", ""),
        (b"\n\n---\na: &x [*x]\n...\n# m", "# m"),
        (b"# m\n\n---\n\nmore\n\n---\n", "# m\n\n---\n\nmore\n\n---"),
        (b"a long text with one bad byte \xff in it, and hardly anything", None),
        (b"\x1b[2J\x1b]52;c;eA==\x07# m\x00\xc2\x9b31m", "# m"),
    ],
)
def test_what_a_card_says(data: bytes, text: str | None) -> None:
    found = card_of(data)
    assert found is not None
    assert found.text == (text if text is not None else data.decode("utf-8", "replace"))
    assert not found.is_cut


def test_a_card_cut_within_a_character_ends_with_a_whole_line() -> None:
    assert card_of("first\nsecond é".encode()[:-1], is_cut=True) == Card("first", True)
    assert MOST_SHOWN < MOST_BYTES


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (CAPTIVE_PORTAL, errors.NotAHub),
        (Answer(403), errors.NotAllowed),
        (Answer(503), errors.HubTrouble),
        (rate_limited(3000), errors.RateLimited),
        (Cut(3), errors.Interrupted),
        (Answer(401, error_code="GatedRepo"), errors.Gated),
    ],
)
def test_what_cannot_be_had_is_an_error_in_words(serve: Serve, fault: Fault, kind: type[errors.HubError]) -> None:
    loopback, hub = serve(repo())
    loopback.fail("resolve-cache" if isinstance(fault, Cut) else "resolve", fault)
    with pytest.raises(kind) as caught:
        card(hub)
    assert str(caught.value).isprintable()


def test_a_card_that_stalls_is_given_up_and_one_that_comes_again_is_had(serve: Serve) -> None:
    loopback, hub = serve(repo())
    loopback.fail("resolve-cache", Stall(3))
    with pytest.raises(errors.TimedOut):
        card(impatient(hub, tries=1))
    loopback.heal()
    loopback.fail("resolve-cache", Cut(3), times=1)
    assert card(hub) == Card("# m \n\nText.", False)


def test_a_card_of_a_gated_repository_for_who_may_and_who_may_not(serve: Serve) -> None:
    _, hub = serve(repo(gated="manual"), token=TOKEN, may=("org/m",))
    assert card(hub) is not None
    _, stranger = serve(repo(gated="manual"))
    with pytest.raises(errors.Gated, match="accept its terms"):
        card(stranger)


def test_the_token_does_not_leave_the_hub(serve: Serve) -> None:
    loopback, hub = serve(repo(), token=TOKEN)
    readme = Changed(of_bytes(b"x"))
    loopback.fail("unknown", readme)
    card(hub)
    assert {seen.token for seen in loopback.seen("cdn")} <= {None}


def test_a_cancel(serve: Serve) -> None:
    _, hub = serve(repo())
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(errors.Cancelled):
        card(hub, cancel)
