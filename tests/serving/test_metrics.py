"""The standalone server's page of metrics: bytes while they flow, and several processes as one."""

import random
from contextlib import ExitStack
from pathlib import Path

from tests.support.live import Wire, created, head, patch_head
from tests.support.metrics import Page, parsed, scraped
from tests.support.server import ServerProcess
from tests.support.workers import connected, kill_worker, wait_for_workers, wait_until
from tusd_py.quantities import KiB, MiB
from tusd_py.streaming.buffers import SMALL

SIZE = 32 * MiB
# What a slow client sends, or reads, before it rests.
STEP = 8 * KiB


def wait_for(server: ServerProcess, sample: str, value: float) -> Page:
    """Read the page until a sample has a value."""
    pages: list[Page] = []

    def reached() -> bool:
        pages.append(scraped(server.port))
        return pages[-1].get(sample) == value

    wait_until(reached, f"{sample} does not become {value}")
    return pages[-1]


def all_tell(server: ServerProcess, count: int) -> bool:
    """Every worker knows of so many creations, as far as ten that answer tell."""
    return all(scraped(server.port).get("uploads_created_total") == count for _ in range(10))


def test_bytes_are_counted_while_they_come(tmp_path: Path, body_flag: str) -> None:
    with ServerProcess(tmp_path / "data", "--durability", "process", body_flag) as server:
        path = created(server.port, SIZE)
        with Wire(server.port) as wire:
            wire.send(patch_head(path, SIZE), bytes(SIZE // 2))
            during = wait_for(server, "received_bytes_total", SIZE // 2)
            wire.send(bytes(SIZE // 2))
            assert 204 == wire.response().status
        after = scraped(server.port)

    assert (1, 0) == (during.get("transfers_active"), during.get("chunk_size_bytes_count"))
    assert SIZE == after.get("received_bytes_total") == after.get("chunk_size_bytes_sum")
    assert SIZE == after.get("batch_size_bytes_sum")
    assert (0, 0) == (after.get("transfers_active"), after.get("buffer_used_bytes"))


def test_bytes_are_counted_while_they_go(tmp_path: Path, body_flag: str) -> None:
    with ServerProcess(tmp_path / "data", "--durability", "process", body_flag) as server:
        path = created(server.port, SIZE)
        with Wire(server.port, receive_buffer=64 * 1024) as wire:
            wire.send(patch_head(path, SIZE), bytes(SIZE))
            assert 204 == wire.response().status
            before = scraped(server.port).get("sent_bytes_total")
            wire.send(head("GET", path))
            during = wait_for(server, "downloads_active", 1)
            wait_until(lambda: scraped(server.port).get("sent_bytes_total") > 0)
            partly = scraped(server.port).get("sent_bytes_total")
            assert SIZE == len(wire.response().body)
        after = wait_for(server, "downloads_active", 0)

    assert (0, 0) == (before, during.get("requests_total", method="GET"))
    assert 0 < partly < SIZE
    assert SIZE == after.get("sent_bytes_total")


def test_little_waits_for_slow_clients_and_sizes_follow_them(
    tmp_path: Path, body_flag: str
) -> None:
    with ServerProcess(tmp_path / "data", "--durability", "process", body_flag) as server:
        path = created(server.port, SIZE)
        with Wire(server.port) as wire:
            wire.send(patch_head(path, SIZE), bytes(SIZE))
            assert 204 == wire.response().status
        wait_for(server, "buffer_used_bytes", 0)
        upload = created(server.port, 40 * STEP)
        with Wire(server.port) as sender, Wire(server.port, receive_buffer=32 * KiB) as reader:
            sender.send(patch_head(upload, 40 * STEP))
            reader.send(head("GET", path))
            held = []
            for _ in range(40):
                sender.send(bytes(STEP))
                assert reader.socket.recv(STEP)
                held.append(scraped(server.port).get("buffer_used_bytes"))
            assert 204 == sender.response().status
        after = wait_for(server, "downloads_active", 0)

    # Of each of them.
    assert max(held) <= 2 * SMALL
    assert after.get("buffer_size_changes_total", direction="upload") >= 1
    assert 0 == after.get("buffer_used_bytes")


def test_whichever_worker_answers_it_tells_of_all(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--workers", "2", "--durability", "process") as server:
        wait_for_workers(server, 2)
        for _ in range(10):
            created(server.port, 10)
        wait_until(lambda: all_tell(server, 10))
        pages = [scraped(server.port) for _ in range(10)]

    assert {10} == {page.get("uploads_created_total") for page in pages}
    assert {2} == {page.get("processes") for page in pages}


def test_what_a_worker_counts_is_known_to_others_without_asking_it(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--workers", "2", "--durability", "process") as server:
        wait_for_workers(server, 2)
        with ExitStack() as stack:
            counting, worker = connected(server, stack)
            asked, _ = connected(server, stack, elsewhere=worker)
            assert 201 == counting.request("POST", "/files/", upload_length="10").status

            def known() -> bool:
                page = parsed(asked.request("GET", "/metrics").body.decode())
                return page.get("uploads_created_total") == 1

            wait_until(known, "the other worker does not hear of it")


def test_counters_outlive_the_worker_that_counted(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--workers", "2", "--durability", "process") as server:
        wait_for_workers(server, 2)
        for _ in range(10):
            created(server.port, 10)
        wait_until(lambda: all_tell(server, 10))
        for round_ in range(3):
            kill_worker(server, random.Random(round_))  # noqa: S311 - a test must be repeatable
            assert 10 == scraped(server.port).get("uploads_created_total")
            wait_for_workers(server, 2)
            page = wait_for(server, "processes", 2)
            assert 10 == page.get("uploads_created_total")
        files = sorted(file.name for file in (server.data_dir / "metrics").iterdir())
        assert ["0.meters", "1.meters"] == files
        server.restart()
        wait_for_workers(server, 2)

        assert 0 == scraped(server.port).get("uploads_created_total")


def test_the_page_lies_outside_the_base_path_or_nowhere(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "a", "--base-path", "/", "--metrics-path", "/m/x") as server:
        page = scraped(server.port, "/m/x")
    with ServerProcess(tmp_path / "b", "--metrics-path", "none", "--workers", "2") as server:
        with Wire(server.port) as wire:
            nowhere = wire.request("GET", "/metrics")
        assert not (server.data_dir / "metrics").exists()

    assert 0 == page.get("requests_total")
    assert 404 == nowhere.status
