"""What is remembered, who may have it, and when a file's content matters."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tusd_py.client.errors import StateUnusable
from tusd_py.client.source import Fingerprint
from tusd_py.client.state import Claim, SavedPart, StateFolder, default_folder
from tusd_py.quantities import days

URL = "https://example.com/files/"
FILE = Fingerprint("a.bin", 10, 1)
NOW = 1_000_000.0


class Content:
    """The digest of a file's content, and how often it was asked for."""

    def __init__(self, sha256: str = "none") -> None:
        self.sha256 = sha256
        self.asked = 0

    def __call__(self) -> str:
        self.asked += 1
        return self.sha256


@pytest.fixture
def states(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state", lambda: NOW)


def saved(claim: Claim, url: str, expires: float = NOW + 1) -> Claim:
    claim.save((SavedPart(0, 10, url),), expires)
    return claim


def url_of(claim: Claim) -> str | None:
    return claim.entry.parts[0].url if claim.entry.parts else None


@contextmanager
def claimed(
    states: StateFolder, content: Content, *, by_content: bool = False
) -> Iterator[str | None]:
    claim = states.claim(URL, FILE, content, by_content=by_content)
    try:
        yield url_of(claim)
    finally:
        claim.release()


def test_another_process_finds_what_was_saved_without_reading_the_file(states: StateFolder) -> None:
    content = Content()
    saved(states.claim(URL, FILE, content), "https://example.com/files/1").release()

    with claimed(states, content) as url:
        assert "https://example.com/files/1" == url
    assert 0 == content.asked


@pytest.mark.parametrize(
    ("endpoint", "fingerprint"),
    [
        ("https://example.com/other/", FILE),
        (URL, Fingerprint("b.bin", 10, 1)),
        (URL, Fingerprint("a.bin", 11, 1)),
        (URL, Fingerprint("a.bin", 10, 2)),
    ],
)
def test_another_file_or_server_is_not_taken_for_it(
    states: StateFolder, endpoint: str, fingerprint: Fingerprint
) -> None:
    saved(states.claim(URL, FILE, Content()), "u").release()

    other = states.claim(endpoint, fingerprint, Content())

    assert url_of(other) is None
    other.release()


def test_nobody_else_may_read_or_list_it(states: StateFolder) -> None:
    saved(states.claim(URL, FILE, Content()), "u").release()

    assert 0o700 == stat.S_IMODE(states.folder.stat().st_mode)
    assert {0o600} == {stat.S_IMODE(file.stat().st_mode) for file in states.folder.iterdir()}


def test_what_is_forgotten_leaves_no_file(states: StateFolder) -> None:
    claim = saved(states.claim(URL, FILE, Content()), "u")

    claim.forget()
    claim.release()

    assert [] == list(states.folder.iterdir())


def test_what_nobody_created_anything_for_leaves_no_file(states: StateFolder) -> None:
    states.claim(URL, FILE, Content()).release()

    assert [] == list(states.folder.iterdir())


def test_what_another_process_is_busy_with_is_left_to_it(states: StateFolder) -> None:
    busy = saved(states.claim(URL, FILE, Content()), "first")
    content = Content("second's")

    second = saved(states.claim(URL, FILE, content), "second")

    assert 1 == content.asked
    assert "second's" == second.entry.sha256
    busy.release()
    second.release()


def test_of_two_that_fit_the_content_decides(states: StateFolder) -> None:
    first = saved(states.claim(URL, FILE, Content()), "first")
    saved(states.claim(URL, FILE, Content("second's")), "second").release()
    first.release()

    with claimed(states, Content("second's")) as url:
        assert "second" == url
    with claimed(states, Content("first's")) as url:
        # It is the only one whose content nobody has looked at.
        assert "first" == url


def test_if_asked_for_the_content_decides_of_one(states: StateFolder) -> None:
    saved(states.claim(URL, FILE, Content("a"), by_content=True), "a").release()

    with claimed(states, Content("b"), by_content=True) as url:
        assert url is None
    with claimed(states, Content("a"), by_content=True) as url:
        assert "a" == url


def test_what_has_expired_is_removed(states: StateFolder) -> None:
    saved(states.claim(URL, FILE, Content()), "u", expires=NOW).release()

    with claimed(states, Content()) as url:
        assert url is None
    assert [] == list(states.folder.iterdir())


def test_what_says_nothing_of_its_end_is_kept_for_thirty_days(states: StateFolder) -> None:
    assert NOW + days(30) == states.kept_until(None)
    assert NOW + 5 == states.kept_until(NOW + 5)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "1", '{"version": 2}', '{"version": 1}', "[" * 60_000],
    ids=lambda content: content[:20],
)
def test_a_file_that_is_no_entry_is_no_obstacle(states: StateFolder, content: str) -> None:
    states.folder.mkdir()
    (states.folder / "x.json").write_text(content)

    with claimed(states, Content()) as url:
        assert url is None


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    states = StateFolder(tmp_path / "file" / "state", lambda: NOW)

    with pytest.raises(StateUnusable, match=r"file/state.*Not a directory"):
        states.claim(URL, FILE, Content())


def test_the_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    monkeypatch.setenv("XDG_STATE_HOME", "/states")
    assert Path("/states/tusd-py/uploads") == default_folder()
    for unusable in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", unusable)
        assert Path("/home/alice/.local/state/tusd-py/uploads") == default_folder()
