"""Images of conversations: kept once, told to the model apart from the words, out and in with an export, swept away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.chat.rig import Clock
from tests.rigs.pictures import noise_png
from tui.chat.attachments import Attached, AttachmentError, joined, keep, parted, pasted, read
from tui.chat.exchange.files import read_text, written
from tui.chat.exchange.moving import put_in, taken_out
from tui.chat.exchange.values import Portable
from tui.chat.images import LEFT_OVER_S, Images
from tui.chat.prompt import as_told
from tui.chat.store import Store
from tui.chat.values import Conversation
from tui.llama.picture import digest_of


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return noise_png(tmp_path / "cat.png", 300, 200)


@pytest.fixture
def images(history: Path) -> Images:
    return Images.beside(history)


def attached(picture: Path, images: Images) -> Attached:
    file = read(picture.name, picture.parent)
    assert file is not None
    keep(file, picture.parent, images)
    return file


def test_an_image_is_kept_once_with_a_small_one(picture: Path, images: Images) -> None:
    assert images.small(digest_of(picture.read_bytes())) is None, "one that is not here yet"
    file = attached(picture, images)
    assert file == Attached("cat.png", "", digest_of(picture.read_bytes()), (300, 200))
    assert file.about == "cat.png, 300 x 200 pixels"
    assert images.file(file.digest).read_bytes() == picture.read_bytes()
    small = images.small(file.digest)
    assert small is not None
    assert (small.width, small.height) == (128, 85)
    assert images.small("0" * 64) is None
    attached(picture, images)
    assert len(list(images.folder.iterdir())) == 2


def test_what_only_looks_like_an_image_is_refused(picture: Path, images: Images) -> None:
    cut = picture.with_name("cut.png")
    cut.write_bytes(picture.read_bytes()[:20_000])
    with pytest.raises(AttachmentError, match=r"cut\.png is damaged"):
        attached(cut, images)
    with pytest.raises(AttachmentError, match="there is no such file"):
        read("gone.png", picture.parent)
    assert not images.folder.exists()
    file = read(picture.name, picture.parent)
    assert file is not None
    noise_png(picture, 30, 20)
    with pytest.raises(AttachmentError, match="changed while it was read"):
        keep(file, picture.parent, images)


def test_a_message_parts_into_words_files_and_images(picture: Path, images: Images) -> None:
    files = (attached(picture, images), Attached("a.txt", "text\n"))
    content = joined("See @cat.png and @a.txt", files)
    assert parted(content) == ("See @cat.png and @a.txt", files)
    told = as_told("user", content, images)
    assert told.content == 'See @cat.png and @a.txt\n\n```txt attached="a.txt"\ntext\n```'
    assert [image.digest for image in told.images] == [files[0].digest]
    images.file(files[0].digest).unlink()
    told = as_told("user", content, images)
    assert told.images == ()
    assert "The image cat.png is not here any more" in told.content
    assert as_told("assistant", content, images).content == content, "what a model writes is never a file"


@pytest.mark.parametrize("kind", ["md", "json"])
def test_an_export_carries_the_bytes(
    kind: str, picture: Path, images: Images, store: Store, tmp_path: Path, clock: Clock
) -> None:
    content = joined("See @cat.png", (attached(picture, images),))
    made = put_in(store, read_text(written([_one(store, content)], "json"))[0])
    text = written([taken_out(store, made.id)], "md" if kind == "md" else "json")
    elsewhere = Store(tmp_path / "elsewhere" / "history.db", clock=clock)
    try:
        (there,) = read_text(text)
        copy = put_in(elsewhere, there)
        assert elsewhere.thread(copy.id)[0].content == content
    finally:
        elsewhere.close()
    kept = Images(tmp_path / "elsewhere" / "images").file(digest_of(picture.read_bytes()))
    assert kept.read_bytes() == picture.read_bytes()
    (forged,) = read_text(text.replace("base64,iVBOR", "base64,AAAAA"))
    assert put_in(store, forged).message_count == 1, "bytes that are not what they say are left out"


def _one(store: Store, content: str) -> Portable:
    conversation = store.create_conversation()
    store.add_message(conversation.id, None, "user", content)
    return taken_out(store, conversation.id)


def _begun(store: Store, image: Path, clock: Clock) -> Conversation:
    """A conversation from the time of an image on."""
    clock.now = image.stat().st_mtime
    return store.create_conversation()


def test_what_no_message_has_is_swept_away(
    picture: Path, images: Images, open_store: Callable[[], Store], clock: Clock
) -> None:
    store, file = open_store(), attached(picture, images)
    conversation = _begun(store, images.file(file.digest), clock)
    clock.now += 2 * LEFT_OVER_S
    store.add_message(conversation.id, None, "user", joined("See @cat.png", (file,)))
    store.delete(conversation.id)
    open_store()
    assert images.file(file.digest).exists(), "a deletion can be undone"
    store.purge()
    assert not list(images.folder.iterdir())


def test_what_was_attached_a_moment_ago_stays(
    picture: Path, images: Images, open_store: Callable[[], Store], clock: Clock
) -> None:
    store, file = open_store(), attached(picture, images)
    _begun(store, images.file(file.digest), clock)
    clock.now += 60
    open_store()
    assert images.file(file.digest).exists()
    clock.now += 2 * LEFT_OVER_S
    open_store()
    assert not list(images.folder.iterdir()), "it was never sent"


def test_images_of_a_history_that_was_moved_aside_wait_for_it(
    picture: Path, images: Images, open_store: Callable[[], Store], clock: Clock, history: Path
) -> None:
    file, store = attached(picture, images), open_store()
    clock.now = images.file(file.digest).stat().st_mtime
    _one(store, joined("See @cat.png", (file,)))
    store.close()
    for path in (history, *history.parent.glob(f"{history.name}-*")):
        path.unlink()
    clock.now += 2 * LEFT_OVER_S
    store = open_store()
    store.delete(store.create_conversation().id)
    store.purge()
    assert images.file(file.digest).exists()


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("file:///home/ana/my%20cat.png", '@"/home/ana/my cat.png" '),
        ("file:///a.txt\r\nfile:///b.py\r\n", "@/a.txt @/b.py "),
        ("'/home/ana/my cat.png' ", '@"/home/ana/my cat.png" '),
        ("/home/ana/my\\ cat.JPG", '@"/home/ana/my cat.JPG" '),
        ("~/cat.webp", "@~/cat.webp "),
        ("/usr/bin/env", None),
        ("/a.png is my picture", None),
        ("see /a.png", None),
        ("'/a.png", None),
        ("file://host/a.png", None),
        ("file:///a%0ab.png", None),
        ("/x.png " * 2000, None),
        ("", None),
    ],
)
def test_files_that_are_dropped_are_mentioned(text: str, becomes: str | None) -> None:
    assert pasted(text) == becomes
