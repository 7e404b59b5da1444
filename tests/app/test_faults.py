"""Backends that fail: nothing is acknowledged that is not safe, and HEAD does not scare clients."""

import json

import pytest

from tests.spec.served import Backends, Served
from tests.support.asgi import Response
from tusd_py import TusApp
from tusd_py.errors import MetadataError, MetadataUnavailable, StorageError, StorageFull
from tusd_py.testing import Fault, FaultyComposingStorage, FaultyMetadata, Plan

DATA = b"hello world"


async def faulty(backends: Backends, *faults: Fault) -> tuple[Served, Plan]:
    """A server whose backends fail as planned, once the test has added its faults."""
    plan = Plan(*faults)
    tus = await backends.serve(
        storage=lambda storage: FaultyComposingStorage(storage, plan),
        metadata=lambda metadata: FaultyMetadata(metadata, plan),
    )
    return tus, plan


def code(response: Response) -> object:
    return json.loads(response.body)["code"]


def fail_next(plan: Plan, method: str, error: type[Exception], *, after: int = 0) -> None:
    """Let the next call of a method fail, a write after so many bytes."""
    call = plan.calls[method] + 1
    plan.faults.append(Fault(method=method, call=call, error=error, after=after))


async def test_a_full_disk_keeps_what_fitted(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(length=11)
    fail_next(plan, "write", StorageFull, after=3)

    response = await tus.patch(url, 0, DATA)

    assert (507, "storage-full") == (response.status, code(response))
    assert [] == response.all("Upload-Offset")
    assert 3 == (await tus.head(url)).offset
    assert 204 == (await tus.patch(url, 3, DATA[3:])).status
    assert DATA == (await tus.get(url)).body


@pytest.mark.parametrize("method", ["write", "sync"])
async def test_a_failed_write_or_sync_cuts_back_to_what_is_safe(
    backends: Backends, method: str
) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(b"he", length=20)
    fail_next(plan, method, StorageError)

    response = await tus.patch(url, 2, DATA)

    assert (500, "storage-error") == (response.status, code(response))
    assert 2 == (await tus.head(url)).offset
    assert b"he" == await tus.stored(url)
    assert 204 == (await tus.patch(url, 2, DATA)).status


async def test_an_offset_that_could_not_be_recorded_is_found_again(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(b"he", length=20)
    fail_next(plan, "record", MetadataError)

    assert 500 == (await tus.patch(url, 2, DATA)).status

    assert 13 == (await tus.head(url)).offset
    assert b"he" + DATA == await tus.stored(url)


@pytest.mark.parametrize("method", ["free", "create"])
async def test_a_creation_that_fails_leaves_nothing(backends: Backends, method: str) -> None:
    tus, plan = await faulty(backends)
    fail_next(plan, method, StorageError if method == "free" else MetadataError)

    response = await tus.create(length=11)

    assert 500 == response.status
    assert [] == response.all("Location")
    assert [] == [*await tus.server.uploads.list()]


async def test_head_is_not_told_of_what_passes(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(length=11)
    answers = []
    for error in (MetadataUnavailable, MetadataError):
        fail_next(plan, "get", error)
        answers.append(await tus.head(url))

    assert [423, 423] == [answer.status for answer in answers]
    assert ["1", "1"] == [answer.header("Retry-After") for answer in answers]
    assert 200 == (await tus.head(url)).status


@pytest.mark.parametrize("method", ["write", "sync"])
async def test_after_a_failed_write_or_sync_other_processes_go_back_to_what_is_safe_too(
    backends: Backends, method: str
) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(b"he", length=20)
    fail_next(plan, method, StorageError, after=5 if method == "write" else 0)
    assert 500 == (await tus.patch(url, 2, DATA)).status
    other = await backends.serve()

    assert 2 == (await other.head(url)).offset
    assert 204 == (await other.patch(url, 2, b"y" * 18)).status
    assert b"he" + b"y" * 18 == (await other.get(url)).body


async def test_others_are_told(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(length=11)

    fail_next(plan, "get", MetadataUnavailable)
    patched = await tus.patch(url, 0, DATA)
    fail_next(plan, "create", MetadataUnavailable)
    created = await tus.create(length=1)

    assert [503, 503] == [patched.status, created.status]
    assert ["1", "1"] == [patched.header("Retry-After"), created.header("Retry-After")]
    assert 0 == patched.reads


async def test_a_termination_that_failed_is_carried_on_by_the_next_sweep(
    backends: Backends,
) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(b"he", length=11)
    fail_next(plan, "delete", StorageError)

    assert 500 == (await tus.delete(url)).status
    assert 404 == (await tus.head(url)).status
    assert 1 == await tus.server.sweep()
    assert [] == await tus.server.uploads.list()


async def test_a_publication_that_failed_can_be_tried_again(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    url = await tus.new(length=11)
    fail_next(plan, "publish", StorageError)

    assert 500 == (await tus.patch(url, 0, DATA)).status
    assert 404 == (await tus.get(url)).status
    assert 204 == (await tus.patch(url, 11)).status
    assert DATA == (await tus.get(url)).body


async def test_a_failed_composition_can_be_tried_again(backends: Backends) -> None:
    tus, plan = await faulty(backends)
    part = await tus.part(DATA)
    fail_next(plan, "compose", StorageError)

    assert 500 == (await tus.concatenate(part)).status
    again = await tus.concatenate(part)
    assert 201 == again.status
    assert DATA == (await tus.get(again.location)).body


@pytest.mark.parametrize("error", [StorageError, RuntimeError])
async def test_a_start_that_failed_is_tried_again_by_the_next_request(
    backends: Backends, error: type[Exception]
) -> None:
    plan = Plan(Fault(method="start", error=error))
    server = TusApp(
        storage=FaultyComposingStorage(backends.storage(), plan), metadata=backends.metadata()
    )
    tus = Served(server, backends.clock)

    assert 500 == (await tus.create(length=5)).status
    assert 201 == (await tus.create(length=5)).status
    await server._runtime.close()
