"""``tusd-py config`` tells what holds and where it comes from, and what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tusd_py.cli import config
from tusd_py.cli.settings import SETTINGS


def row(shown: str, name: str) -> list[str]:
    (found,) = (line.split(maxsplit=2) for line in shown.splitlines() if line.split()[0] == name)
    return found


def test_every_setting_is_shown_with_its_default(run: Run) -> None:
    lines = run("config", "show").stdout.splitlines()

    assert ["SETTING", "VALUE", "FROM"] == lines[0].split()
    assert [setting.name for setting in SETTINGS] == [line.split()[0] for line in lines[1:]]
    assert {"default"} == {line.split()[-1] for line in lines[1:]}


def test_each_value_tells_its_source(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tusd.toml"
    file.write_text('max_size = "5GB"\nport = 1\nhost = "::1"\n')
    env = {"TUSD_PY_PORT": "2", "TUSD_PY_HOST": "127.0.0.2"}

    shown = run("config", "show", "--config", str(file), "--host", "127.0.0.3", env=env).stdout

    assert ["max_size", "5GB", f"file: {file}: max_size"] == row(shown, "max_size")
    assert ["port", "2", "variable: TUSD_PY_PORT"] == row(shown, "port")
    assert ["host", "127.0.0.3", "flag: --host"] == row(shown, "host")


def test_programs_get_bytes_and_seconds(run: Run) -> None:
    done = run(
        *("config", "show", "--json", "--max-size", "1KiB", "--expire-after", "1h"),
        *("--cors-origin", "https://a.example", "--data-dir", "d"),
    )
    shown = json.loads(done.stdout)

    assert {"value": 1024, "source": "flag", "where": "--max-size"} == shown["max_size"]
    assert {"value": 3600, "source": "flag", "where": "--expire-after"} == shown["expire_after"]
    assert ["https://a.example"] == shown["cors_origin"]["value"]
    assert "d" == shown["data_dir"]["value"]
    assert {"value": None, "source": "default", "where": None} == shown["min_rate"]
    assert {setting.name for setting in SETTINGS} == set(shown)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_secrets_are_masked(
    run: Run, monkeypatch: pytest.MonkeyPatch, form: tuple[str, ...]
) -> None:
    secret = [replace(s, secret=True) if s.name == "base_path" else s for s in SETTINGS]
    monkeypatch.setattr(config, "SETTINGS", secret)

    shown = run("config", "show", *form, "--base-path", "/hush/").stdout

    assert "hush" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://me:pass@h/x", "https://***@h/x"), ("https://h/x?token=a&b", "https://h/x?***")],
)
def test_secrets_in_urls_are_masked(url: str, shown: str) -> None:
    assert shown == config._masked(SETTINGS[0], url, url)


def test_a_url_that_is_refused_is_not_repeated(run: Run) -> None:
    done = run("config", "check", "--hooks-http", "ftp://me:pass@h/x")

    assert (2, True, False) == (
        done.exit_code,
        "--hooks-http" in done.stderr,
        "pass@" in done.stderr,
    )


@pytest.mark.parametrize(
    "flags",
    [
        ("--tls-cert", "none.pem"),
        ("--hooks-http", "http://127.0.0.1:1/", "--hooks-secret-file", "missing"),
    ],
)
def test_files_that_a_server_would_need_are_looked_at(run: Run, flags: tuple[str, ...]) -> None:
    done = run("config", "check", *flags)

    assert (2, "") == (done.exit_code, done.stdout)
    assert flags[-1] in done.stderr


def test_what_is_right_is_said_to_be(run: Run) -> None:
    done = run("config", "check", "--max-size", "5GB")

    assert (0, "The settings are right.\n") == (done.exit_code, done.stdout)


def test_all_that_is_wrong_is_told_at_once(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "tusd.toml"
    file.write_text('max-size = "5GB"\nworkers = 0\n')
    env = {"TUSD_PY_CONFIG": str(file), "TUSD_PY_HSOT": "x"}

    done = run("config", "check", "--port", "x", "--max-sise", "1", env=env)

    assert (2, "") == (done.exit_code, done.stdout)
    assert [
        f"{file}: max-size: There is no such setting. Did you mean max_size?",
        f"{file}: workers: 0 is not a number of processes from 1 to 1024.",
        "TUSD_PY_HSOT: There is no such setting. Did you mean TUSD_PY_HOST?",
        '--port: "x" is not a whole number.',
        "--max-sise: There is no such setting. Did you mean --max-size?",
    ] == done.stderr.splitlines()


def test_a_file_of_keys_that_is_not_there_is_wrong(run: Run, tmp_path: Path) -> None:
    done = run("config", "check", "--auth-keys", str(tmp_path / "keys.toml"))

    assert (2, "") == (done.exit_code, done.stdout)
    assert str(tmp_path / "keys.toml") in done.stderr
