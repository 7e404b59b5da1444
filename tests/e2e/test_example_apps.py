"""Applications with users of their own that embed tusd_py, run as their READMEs say."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.e2e.example_apps import WAYS, ExampleApp, Headers, Ways, count, install, writing
from tests.e2e.samples import MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy
from tests.support.workers import wait_until
from tusd_py.client import Uploader

pytestmark = pytest.mark.timeout(300)

TUS = {"Tus-Resumable": "1.0.0"}

# Routes whose paths begin as those of uploads and of the schema do, for who is signed in.
MORE_OF_LITESTAR = """
from litestar import get

from app.main import app


@get(["/uploads-of", "/schemas"])
async def private() -> str:
    return "private"


app.register(private)
"""


@dataclass(frozen=True, slots=True)
class Running:
    """An example that runs, and how one deals with it."""

    app: ExampleApp
    ways: Ways

    @property
    def rows(self) -> int:
        return count(self.app.data_dir / "app.db", self.ways.table)

    @property
    def told(self) -> bool:
        """The application has heard of everything."""
        return count(self.app.data_dir / "tus.db", "events") == 0

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.app.site, timeout=30)

    def sign_up(self, name: str) -> Headers:
        with self.client() as client:
            assert self.ways.sign_up(client, name).status_code in (201, 302)
        return self.sign_in(name)

    def sign_in(self, name: str) -> Headers:
        with self.client() as client:
            return self.ways.sign_in(client, name)

    def files_of(self, headers: Headers) -> list[str] | None:
        with self.client() as client:
            return self.ways.files_of(client, headers)


@pytest.fixture(scope="module", params=WAYS)
def installed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """An example's name, and the programs that its requirements brought."""
    folder = tmp_path_factory.mktemp("installed")
    yield request.param, install(request.param, folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def running(installed: tuple[str, Path], tmp_path: Path) -> Iterator[Running]:
    name, programs = installed
    app = ExampleApp(name, tmp_path / name, programs)
    app.prepare()
    with app:
        yield Running(app, WAYS[name])


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "holiday.bin", 3 * MIB + 11)


def upload(url: str, sample: Sample, headers: Headers) -> str:
    """Upload it, over however many connections that takes; returns its URL."""
    uploader = Uploader(url, headers=headers, remember=False)
    return asyncio.run(uploader.upload(sample.path)).url


def stored(running: Running) -> list[str]:
    """The digests of all finished files."""
    files = (running.app.data_dir / "files").rglob("*")
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]


def test_an_upload_that_is_cut_becomes_one_row_of_its_owners(
    running: Running, sample: Sample
) -> None:
    alice, bob = running.sign_up("alice"), running.sign_up("bob")

    with CuttingProxy(running.app.url, [2 * MIB]) as proxy:
        url = upload(proxy.url, sample, alice)
    wait_until(lambda: running.told, "the application does not hear of the upload")

    assert 1 == len(proxy.cuts)
    assert [sample.digest] == stored(running)
    assert (1, ["holiday.bin"], []) == (
        running.rows,
        running.files_of(alice),
        running.files_of(bob),
    )
    path = url.rpartition("/")[2]
    assert [200, 404] == [
        httpx.head(f"{running.app.url}/{path}", headers={**TUS, **who}).status_code
        for who in (alice, bob)
    ]
    assert 404 == httpx.get(f"{running.app.url}/{path}", headers=bob).status_code


def test_who_is_not_signed_in_can_do_nothing(running: Running) -> None:
    creation = {**TUS, "Upload-Length": "5"}
    refused = [
        httpx.post(running.app.url, headers=creation),
        httpx.post(running.app.url, headers={**creation, "Authorization": "Bearer nobodys"}),
        httpx.post(running.app.url, headers={**creation, "Cookie": "session=x; sessionid=x"}),
    ]

    assert [401, 401, 401] == [answer.status_code for answer in refused]
    assert {"1.0.0"} == {answer.headers["Tus-Resumable"] for answer in refused}
    assert None is running.files_of({})


def test_the_upload_begins_where_the_application_says(running: Running) -> None:
    alice = running.sign_up("alice")
    creation = {**TUS, **alice, "Upload-Length": "5"}

    answers = [httpx.post(running.app.url + slash, headers=creation) for slash in ("", "/")]

    assert [201, 201] == [answer.status_code for answer in answers]
    urls = [urljoin(running.app.url, answer.headers["Location"]) for answer in answers]
    assert all(url.startswith(f"{running.app.url}/") for url in urls)
    options = httpx.options(running.app.url)
    assert (200, "1.0.0") == (options.status_code, options.headers["Tus-Version"])
    # The application has rows of them.
    removed = httpx.delete(urls[0], headers={**TUS, **alice})
    assert 405 == removed.status_code


def test_a_path_that_only_begins_as_those_of_uploads_do_is_none(running: Running) -> None:
    alice = {**TUS, **running.sign_up("alice")}
    answer = httpx.post(running.app.url, headers={**alice, "Upload-Length": "5"})
    upload_id = answer.headers["Location"].rpartition("/")[2]

    found = [httpx.head(f"{running.app.url}{gap}{upload_id}", headers=alice) for gap in ("/", "")]

    assert [200, 404] == [each.status_code for each in found]


def test_a_process_that_dies_before_it_makes_the_row_makes_it_later(
    running: Running, sample: Sample
) -> None:
    alice = running.sign_up("alice")
    with writing(running.app.data_dir / "app.db"):
        upload(running.app.url, sample, alice)
        running.app.kill()
    assert (0, False) == (running.rows, running.told)

    running.app.start()
    alice = running.sign_in("alice")
    wait_until(lambda: running.told, "the application does not hear of the upload")

    assert ["holiday.bin"] == running.files_of(alice)


def test_a_process_that_dies_after_it_made_the_row_makes_no_second_one(
    running: Running, sample: Sample
) -> None:
    alice = running.sign_up("alice")
    data = running.app.data_dir
    with ExitStack() as unheard:
        with writing(data / "app.db"):
            upload(running.app.url, sample, alice)
            # Nor can it be recorded that the application was told.
            unheard.enter_context(writing(data / "tus.db"))
        wait_until(lambda: running.rows, "the application does not make the row")
        running.app.kill()
    assert (1, False) == (running.rows, running.told)

    running.app.start()
    wait_until(lambda: running.told, "the application does not hear of the upload again")

    assert 1 == running.rows
    assert ["holiday.bin"] == running.files_of(running.sign_in("alice"))


@pytest.mark.parametrize("installed", ["litestar"], indirect=True)
def test_only_uploads_are_kept_from_litestars_own_guard(
    installed: tuple[str, Path], tmp_path: Path
) -> None:
    name, programs = installed
    with ExampleApp(name, tmp_path / name, programs, more=MORE_OF_LITESTAR) as app:
        asked = [httpx.get(f"{app.site}/{path}").status_code for path in ("uploads-of", "schemas")]

        assert [401, 401] == asked
        assert 401 == httpx.post(app.url, headers={**TUS, "Upload-Length": "5"}).status_code
        assert 200 == httpx.get(f"{app.site}/schema/openapi.json").status_code


@pytest.mark.parametrize("installed", ["starlette"], indirect=True)
def test_a_file_is_no_name_and_no_password(running: Running) -> None:
    name, password = ("username", "mallory"), ("password", "correct horse")
    with running.client() as client:
        answers = [
            client.post(path, data=dict([text]), files={field: ("a.txt", value)})
            for path in ("/users", "/session")
            for text, (field, value) in ((name, password), (password, name))
        ]

    assert [422] * 4 == [answer.status_code for answer in answers]
    assert 0 == count(running.app.data_dir / "app.db", "users")


@pytest.mark.parametrize("installed", ["django"], indirect=True)
def test_the_host_of_a_request_is_in_no_answer_of_djangos_uploads(running: Running) -> None:
    headers = {**TUS, **running.sign_up("alice"), "Upload-Length": "5", "Host": "evil.example"}

    created = httpx.post(running.app.url, headers=headers)

    assert created.headers["Location"].startswith("/uploads/")
    assert "evil.example" not in created.text + str(created.headers)
