"""The command: exit codes, help and version, and no traceback for what a person did wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.unit.cli.fakes import FakeServer, Run
from tusd_py import __version__
from tusd_py.cli.settings import OF_NETWORK, OF_SERVER

REPOSITORY = Path(__file__).parents[3]


def python(
    *args: str, stdout: IO[str] | int = subprocess.PIPE, cwd: Path = REPOSITORY
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *args],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if not name.startswith("TUSD_PY_")},
    )


def test_the_version_is_told(run: Run) -> None:
    assert f"tusd-py {__version__}\n" == run("--version").stdout


def test_python_m_is_the_same_command() -> None:
    done = python("-m", "tusd_py", "--version")
    assert (0, f"tusd-py {__version__}\n") == (done.returncode, done.stdout)


def test_help_names_every_flag_of_the_server(run: Run) -> None:
    shown = run("serve", "--help").stdout
    assert [] == [setting.flag for setting in OF_SERVER if setting.flag not in shown]
    assert [] == [setting.flag for setting in OF_NETWORK if setting.flag in shown]


def test_help_names_every_flag_of_the_network(run: Run) -> None:
    shown = run("network", "--help").stdout
    flags = ["--watch", "--json", "--config", *(setting.flag for setting in OF_NETWORK)]
    assert [] == [flag for flag in flags if flag not in shown]


@pytest.mark.parametrize(
    "args",
    [
        ("--help",),
        ("serve", "--help"),
        ("sweep", "--help"),
        ("backup", "--help"),
        ("config", "show", "--help"),
        ("list", "--help"),
        ("keys", "new", "--help"),
        ("token", "create", "--help"),
        ("network", "--help"),
    ],
)
def test_help_does_not_wait_for_heavy_imports(args: tuple[str, ...]) -> None:
    code = (
        "import json, sys, tusd_py.cli.main as m\n"
        f"try: m.cli({list(args)!r})\n"
        "except SystemExit as end: print(end.code)\n"
        "print(json.dumps([n for n in sys.modules if '.' not in n]))"
    )
    *_, exit_code, modules = python("-c", code).stdout.splitlines()
    assert "0" == exit_code
    assert not {"starlette", "uvicorn", "structlog", "aiosqlite"} & set(json.loads(modules))


def test_flags_reach_the_server(run: Run, server: FakeServer, tmp_path: Path) -> None:
    done = run(
        *("serve", "--data-dir", str(tmp_path), "--port", "0", "--max-size", "5GiB"),
        *("--cors-origin", "https://a.example", "--cors-origin", "https://b.example"),
        *("--cors-credentials", "--trusted-proxy", "10.0.0.0/8", "--expire-after", "24h"),
        *("--durability", "process", "--no-disable-download", "--layout=id"),
    )
    assert 0 == done.exit_code
    (settings,) = server.served
    app = settings.app
    assert (tmp_path, 0, "id") == (settings.data_dir, settings.port, settings.layout)
    assert (5 * 2**30, 86400, "process") == (app.max_size, app.expire_after, app.durability)
    assert app.cors is not None
    assert ("https://a.example", "https://b.example") == app.cors.origins
    assert app.cors.credentials
    assert ("10.0.0.0/8",) == app.trusted_proxies
    assert not app.disable_download


def test_bad_settings_are_told_line_by_line_and_nothing_starts(
    run: Run, server: FakeServer
) -> None:
    done = run(
        *("serve", "--port", "x", "--max-sise", "5GB", "--workers", "0"),
        env={"TUSD_PY_HSOT": "a"},
    )
    assert 2 == done.exit_code
    assert [] == server.served
    assert "" == done.stdout
    places = [line.split(": ")[0] for line in done.stderr.splitlines()]
    assert ["TUSD_PY_HSOT", "--port", "--workers", "--max-sise"] == places


def test_the_real_process_exits_with_2_on_bad_settings() -> None:
    done = python("-m", "tusd_py", "serve", "--max-size", "5XB")
    assert (2, "", '--max-size: "5XB" is not a size such as 5GB or 512MiB.\n') == (
        done.returncode,
        done.stdout,
        done.stderr,
    )


def test_a_flag_without_its_value_is_refused(run: Run) -> None:
    done = run("serve", "--port")
    assert 2 == done.exit_code
    assert "--port" in done.stderr


def test_an_unknown_command_is_refused(run: Run) -> None:
    assert 2 == run("fly").exit_code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only some systems have it")
@pytest.mark.parametrize(
    "command", ["config show", "config check", "keys new --file FOLDER/keys", "network"]
)
def test_what_cannot_be_told_ends_the_command_with_one_sentence(
    command: str, tmp_path: Path
) -> None:
    words = command.replace("FOLDER", str(tmp_path)).split()
    with Path("/dev/full").open("w") as full:
        done = python("-m", "tusd_py", *words, stdout=full, cwd=tmp_path)
    told = "The output cannot be written: No space left on device.\n"
    assert (1, told) == (done.returncode, done.stderr)
