"""A driver as a process of its own: prepared, told to go, and asked for its result.

The driver prepares itself, prints ``ready``, waits for a line, works, and prints one line of
JSON. What lies between that line and the result is what gets measured.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from benchmarks import processes
from benchmarks.errors import DriverFailedError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_READY: Final = b"ready\n"

Job = TypeVar("Job", bound="DataclassInstance")
Result = TypeVar("Result", bound="DataclassInstance")


class Driver(Generic[Job, Result]):
    """Context manager: a driver process that is ready to go."""

    def __init__(
        self,
        job: Job,
        result: type[Result],
        *,
        timeout: float,
        program: Sequence[str] | None = None,
    ) -> None:
        """Prepare to run the module that defines `job`, for no longer than `timeout`.

        A `program` in another language takes the module's place; it keeps to the same lines.
        """
        self._result = result
        self._timeout = timeout
        command = program or [sys.executable, "-m", type(job).__module__]
        self._command = [*command, json.dumps(asdict(job))]

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._process = processes.start(self._command, stdin=pipe, stdout=pipe, stderr=pipe)
        try:
            self._wait_until_ready()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def go(self) -> Result:
        """Let the driver work, and return its result.

        Raises:
            DriverFailedError: it met a wrong answer, or took too long.
        """
        try:
            output, complaint = self._process.communicate(b"go\n", timeout=self._timeout)
        except subprocess.TimeoutExpired as error:
            raise DriverFailedError(f"not done within {self._timeout:.0f} s") from error
        if self._process.returncode != 0:
            raise DriverFailedError(processes.last_line(complaint))
        return self._result(**json.loads(output))

    def _wait_until_ready(self) -> None:
        output = self._process.stdout
        if output is None:
            raise RuntimeError("a driver is always started with pipes")
        readable, _, _ = select.select([output], [], [], self._timeout)
        if not readable:
            raise DriverFailedError(f"not ready within {self._timeout:.0f} s")
        if output.readline() != _READY:
            _, complaint = self._process.communicate(timeout=self._timeout)
            raise DriverFailedError(processes.last_line(complaint))

    def _stop(self) -> None:
        processes.stop_tree(self._process, grace=2.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()


def serve(job: type[Job], run: Callable[[Job, Callable[[], None]], DataclassInstance]) -> None:
    """Be a driver: the main function of a module that defines a job.

    `run` gets the job and a function to call when it is prepared, which returns when the harness
    says go.
    """
    try:
        result = run(job(**json.loads(sys.argv[1])), _say_ready)
    except DriverFailedError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps(asdict(result)) + "\n")


def _say_ready() -> None:
    sys.stdout.write(_READY.decode("ascii"))
    sys.stdout.flush()
    if not sys.stdin.readline():
        raise DriverFailedError("the harness went away")
