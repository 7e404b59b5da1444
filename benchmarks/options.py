"""The command line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from benchmarks import catalog
from benchmarks.install import CACHE
from benchmarks.scenarios import LONG, SCENARIOS

_MOST_ROUNDS: Final = 100
_LARGEST_BODY: Final = 65536
_DEFAULT_BASELINE: Final = "tusd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to run, and where."""

    quick: bool
    scenarios: tuple[str, ...]
    cases: tuple[str, ...]
    servers: tuple[str, ...]
    rounds: int
    size: int | None
    out: Path
    disk: Path
    baseline: str
    python: str


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"benchmarks: {message}\n")


def parse(arguments: Sequence[str]) -> Options:
    """Return the options; leave with status 2 and a sentence where they are wrong."""
    parser = _build_parser()
    given = parser.parse_args(arguments)
    options = Options(
        quick=given.quick,
        scenarios=tuple(dict.fromkeys(given.only or _usual())),
        cases=tuple(given.case or ()),
        servers=tuple(dict.fromkeys(given.server or ())),
        rounds=given.rounds or (2 if given.quick else 5),
        size=given.size,
        out=given.out.resolve(),
        disk=given.dir.resolve(),
        baseline=given.baseline,
        python=given.python,
    )
    for folder in (options.out, options.disk):
        if problem := _make(folder):
            parser.error(problem)
    return options


def _usual() -> list[str]:
    return [name for name in SCENARIOS if name not in LONG]


def _build_parser() -> _Parser:
    parser = _Parser(
        prog="python -m benchmarks",
        description="Measure tusd_py beside its peers. Tables go to stdout, progress to stderr.",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes and 2 rounds: a look, no result")
    add(
        "--only",
        action="append",
        choices=list(SCENARIOS),
        metavar="NAME",
        help=f"run this scenario (repeatable; default: all but {' and '.join(sorted(LONG))}): "
        f"{', '.join(SCENARIOS)}",
    )
    add(
        "--case",
        action="append",
        metavar="NAME",
        help="of these scenarios, run this case alone (repeatable; a wrong one tells the names)",
    )
    add(
        "--server",
        action="append",
        choices=catalog.names(),
        metavar="NAME",
        help="run this server in every scenario (repeatable; default: all, and peers not where "
        f"only ours matters): {', '.join(catalog.names())}",
    )
    add(
        "--rounds",
        type=_number_up_to(_MOST_ROUNDS),
        metavar="N",
        help="rounds to run (default: 5, 2 with --quick)",
    )
    add(
        "--size",
        type=_number_up_to(_LARGEST_BODY),
        metavar="MIB",
        help="size of the large body (default: 2048, 256 with --quick)",
    )
    add(
        "--baseline",
        choices=catalog.names(),
        default=_DEFAULT_BASELINE,
        metavar="NAME",
        help="server that ratios refer to; where it is missing, the first that is there "
        "(default: %(default)s)",
    )
    add(
        "--out",
        type=Path,
        default=Path("benchmarks", "results"),
        metavar="DIR",
        help="folder for results.md, results.json and plots (default: %(default)s)",
    )
    add(
        "--dir",
        type=Path,
        default=CACHE / "data",
        metavar="DISK_FOLDER",
        help="folder on the disk to measure on (default: inside the repository)",
    )
    add(
        "--python",
        type=_interpreter,
        default=sys.executable,
        metavar="PATH",
        help="interpreter that runs tusd_py (default: this one)",
    )
    return parser


def _number_up_to(most: int) -> Callable[[str], int]:
    def parse_number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"must be a number from 1 to {most}")
        return int(text)

    return parse_number


def _interpreter(text: str) -> str:
    # Not resolved: the interpreter of a virtual environment is a link, and the link matters.
    path = Path(text).expanduser().absolute()
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise argparse.ArgumentTypeError("must be the path of a Python interpreter")
    return str(path)


def _make(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return f"the folder {folder} cannot be made: {error.strerror}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"the folder {folder} is not writable"
    return None
