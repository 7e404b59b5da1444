"""``tusd-py upload`` as a process: killed, interrupted, and run again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.granting import Granting, granting_server
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy
from tests.support.server import REPOSITORY, ServerProcess, environment

TIMEOUT = 50.0
SLOW = 8 * MIB


@dataclass(frozen=True, slots=True)
class Command:
    """Runs the command with a state folder of its own."""

    state: Path

    def start(self, *args: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tusd_py", "upload", *args],
            cwd=REPOSITORY,
            env={**environment(), "XDG_STATE_HOME": str(self.state)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str) -> tuple[int, list[str], str]:
        """Run to the end; returns exit code, lines of stdout, and stderr."""
        with self.start(*args) as process:
            out, err = process.communicate(timeout=TIMEOUT)
        return process.returncode, out.splitlines(), err

    def remembered(self) -> list[Path]:
        return [*self.state.rglob("*.json")]

    def kill_after(self, sent: int, how: signal.Signals, *args: str) -> tuple[int, str]:
        """Start, and send a signal when so many bytes are on their way."""
        with self.start("--json", *args) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line).get("sent", 0) >= sent:
                    break
            process.send_signal(how)
            _, err = process.communicate(timeout=TIMEOUT)
        return process.returncode, err


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path / "state")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("server")
    with ServerProcess(folder / "data", "--durability", "process") as server:
        yield server


@pytest.fixture(scope="module")
def granting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Granting]:
    with granting_server(tmp_path_factory.mktemp("granting")) as granting:
        yield granting


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 12 * MIB + 3)


def events(lines: list[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines]


def test_the_url_is_printed_alone(command: Command, server: ServerProcess, sample: Sample) -> None:
    code, lines, err = command.run(str(sample.path), server.url)

    assert (0, 1, "") == (code, len(lines), err)
    assert sample.digest == stored_digest(lines[0])
    assert [] == command.remembered()


def test_two_files_have_two_urls_in_order(
    command: Command, server: ServerProcess, sample: Sample, tmp_path: Path
) -> None:
    empty = write_sample(tmp_path / "empty.txt", 0)

    code, lines, _ = command.run(str(empty.path), str(sample.path), server.url)

    assert 0 == code
    assert [empty.digest, sample.digest] == [stored_digest(url) for url in lines]
    assert ["empty.txt", "sample.bin"] == [inspect(url).metadata["filename"] for url in lines]


def test_json_ends_with_the_url(command: Command, server: ServerProcess, sample: Sample) -> None:
    code, lines, _ = command.run(
        "--json", "--metadata", "note=große Datei", "--chunk-size", "4MiB", "--checksum", "sha256",
        str(sample.path), server.url,
    )  # fmt: skip

    last = events(lines)[-1]
    assert (0, "uploaded", sample.length) == (code, last["event"], last["size"])
    url = str(last["url"])
    assert sample.digest == stored_digest(url)
    assert "große Datei" == inspect(url).metadata["note"]


@pytest.mark.parametrize("parallel", ["1", "3"])
def test_after_a_kill_the_same_command_goes_on(
    command: Command, server: ServerProcess, sample: Sample, parallel: str
) -> None:
    args = ("--parallel", parallel, str(sample.path))
    with CuttingProxy(server.url, rate=SLOW) as proxy:
        command.kill_after(4 * MIB, signal.SIGKILL, *args, proxy.url)
        assert 1 == len(command.remembered())
        code, lines, _ = command.run("--json", *args, proxy.url)

    last = events(lines)[-1]
    assert (0, "uploaded") == (code, last["event"])
    # All that had reached the server; the rest of the first 4 MiB was in the proxy.
    assert int(str(last["resumed_at"])) >= 2 * MIB
    assert sample.digest == stored_digest(server.url + str(last["url"]).rpartition("/")[2])
    assert [] == command.remembered()


def test_an_interrupt_says_how_to_go_on(
    command: Command, server: ServerProcess, sample: Sample
) -> None:
    with CuttingProxy(server.url, rate=SLOW) as proxy:
        code, err = command.kill_after(4 * MIB, signal.SIGINT, str(sample.path), proxy.url)
        assert (130, "Interrupted. The same command goes on where it stopped.\n") == (code, err)
        code, lines, _ = command.run("--json", str(sample.path), proxy.url)

    last = events(lines)[-1]
    assert (0, True) == (code, int(str(last["resumed_at"])) > 0)


def test_without_resume_nothing_is_remembered(
    command: Command, server: ServerProcess, sample: Sample
) -> None:
    with CuttingProxy(server.url, rate=SLOW) as proxy:
        args = ("--no-resume", str(sample.path), proxy.url)
        code, err = command.kill_after(2 * MIB, signal.SIGINT, *args)

    assert (130, "Interrupted.\n") == (code, err)
    assert [] == command.remembered()


def test_one_process_leaves_to_another_what_it_is_busy_with(
    command: Command, server: ServerProcess, sample: Sample
) -> None:
    with (
        CuttingProxy(server.url, rate=SLOW) as proxy,
        command.start("--json", str(sample.path), proxy.url) as first,
    ):
        assert first.stdout is not None
        first.stdout.readline()
        assert 1 == len(command.remembered())
        # The same endpoint, or it would not be the same upload.
        code, lines, _ = command.run("--json", str(sample.path), proxy.url)
        out, _ = first.communicate(timeout=TIMEOUT)

    assert (0, 0) == (code, first.returncode)
    last = [events(told)[-1] for told in (lines, out.splitlines())]
    assert [0, 0] == [event["resumed_at"] for event in last]
    assert 2 == len({event["url"] for event in last})


@pytest.mark.parametrize("where", ["header", "path"])
def test_a_grant_admits_the_upload(
    command: Command, granting: Granting, sample: Sample, where: str
) -> None:
    if where == "path":
        code, lines, err = command.run(str(sample.path), granting.endpoint())
    else:
        token = ("--token", granting.grant())
        code, lines, err = command.run(*token, str(sample.path), granting.url)

    assert (0, "") == (code, err)
    assert sample.digest == stored_digest(lines[0])


def test_parts_need_a_grant_that_says_so(
    command: Command, granting: Granting, sample: Sample
) -> None:
    token = granting.grant(parts=3)

    code, lines, err = command.run(
        "--parallel", "3", "--token", token, str(sample.path), granting.url
    )

    assert (0, "") == (code, err)
    assert sample.digest == stored_digest(lines[0])


def test_an_upload_goes_on_though_its_grant_is_used_up(
    command: Command, granting: Granting, sample: Sample
) -> None:
    with CuttingProxy(granting.url, rate=SLOW) as proxy:
        in_path = f"{proxy.url}-/{granting.grant()}"
        command.kill_after(4 * MIB, signal.SIGKILL, str(sample.path), in_path)
        code, lines, err = command.run("--json", str(sample.path), proxy.url)

    assert (0, "") == (code, err)
    assert int(str(events(lines)[-1]["resumed_at"])) > 0


def test_an_expired_grant_is_told_with_the_servers_words(
    command: Command, granting: Granting, sample: Sample
) -> None:
    signer = granting.signer
    signer._clock, clock = (lambda: time.time() - 86_400), signer._clock
    expired = granting.grant()
    signer._clock = clock

    code, lines, err = command.run("--token", expired, str(sample.path), granting.url)

    assert (1, []) == (code, lines)
    assert "sample.bin: The server refused to create the upload with 403: " in err
    assert expired not in err
    assert [] == command.remembered()


def test_one_file_that_fails_does_not_stop_the_next(
    command: Command, granting: Granting, sample: Sample, tmp_path: Path
) -> None:
    small = write_sample(tmp_path / "small", 10)
    token = granting.grant(max_length=10)

    code, lines, err = command.run(
        "--token", token, str(sample.path), str(small.path), granting.url
    )

    assert (1, 1) == (code, len(lines))
    assert "sample.bin: The server refused" in err
    assert small.digest == stored_digest(lines[0])


def test_nobody_there_is_told_with_the_reason(command: Command, sample: Sample) -> None:
    code, lines, err = command.run(
        "--patience", "1s", str(sample.path), "http://127.0.0.1:1/files/"
    )

    assert (1, []) == (code, lines)
    assert "because Connection refused. The same command goes on" in err


def test_a_state_folder_that_cannot_be_used_is_named(
    command: Command, server: ServerProcess, sample: Sample
) -> None:
    command.state.touch()

    code, _, err = command.run(str(sample.path), server.url)

    assert 1 == code
    assert "which remembers unfinished uploads, cannot be used" in err
    assert 0 == command.run("--no-resume", str(sample.path), server.url)[0]


def test_a_token_can_come_from_the_environment(granting: Granting, sample: Sample) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tusd_py", "upload", "--no-resume", str(sample.path), granting.url],
        env={**os.environ, "TUSD_UPLOAD_TOKEN": granting.grant()},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )

    assert (0, "") == (done.returncode, done.stderr)
