"""Settings are checked as a whole."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from tusd_py import config
from tusd_py.config import Config, Cors, HttpHooks, Network, Settings, Streaming
from tusd_py.errors import ConfigError

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("kind", "checks"),
    [
        (Cors, config.CORS_CHECKS),
        (HttpHooks, config.HOOKS_CHECKS),
        (Config, config.CONFIG_CHECKS),
        (Settings, config.SETTINGS_CHECKS),
        (Network, config.NETWORK_CHECKS),
        (Streaming, config.STREAMING_CHECKS),
    ],
)
def test_every_attribute_is_checked(
    kind: type[Cors | HttpHooks | Config | Settings | Network | Streaming],
    checks: Mapping[str, config.Check],
) -> None:
    assert {field.name for field in fields(kind)} == set(checks)


@pytest.mark.parametrize(
    ("metrics_path", "base_path"),
    [
        ("metrics", "/files/"),
        ("/metrics/", "/files/"),
        ("/a b", "/files/"),
        ("/..", "/files/"),
        ("/healthz", "/files/"),
        ("/readyz", "/files/"),
        ("/files", "/files/"),
        ("/files", "/files"),
    ],
)
def test_the_page_of_metrics_has_a_path_of_its_own(metrics_path: str, base_path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Settings(metrics_path=metrics_path, base_path=base_path)

    assert caught.value.problems[0].startswith("metrics_path: ")


@pytest.mark.parametrize("metrics_path", ["/metrics", "/files/metrics", "/healthz2", None])
def test_the_page_of_metrics_may_be_anywhere_else(metrics_path: str | None) -> None:
    assert metrics_path == Settings(metrics_path=metrics_path).metrics_path
    assert metrics_path == Settings(metrics_path=metrics_path, base_path="/").metrics_path


def test_defaults_are_valid_and_frozen() -> None:
    settings = Settings()
    assert Config() == settings.app
    with pytest.raises(FrozenInstanceError):
        settings.port = 80  # type: ignore[misc]


def test_all_problems_are_named_together() -> None:
    with pytest.raises(ConfigError) as caught:
        Config(
            max_size=0,
            expire_after=-1,
            durability="tape",  # type: ignore[arg-type]
            trusted_proxies=("10.0.0.1/8", "192.168.0.0/16", "x"),
            idle_timeout=float("nan"),
        )
    networks = (
        '"10.0.0.1/8" is not a network such as 10.0.0.0/8. "x" is not a network such as 10.0.0.0/8.'
    )
    assert (
        "max_size: 0 is not a number of bytes from 1 to 9223372036854775807.",
        "expire_after: -1 is not a number of seconds, more than 0 and at most 36500 days.",
        'durability: "tape" is not one of "disk", "process".',
        f"trusted_proxies: {networks}",
        "idle_timeout: nan is not a number of seconds, more than 0 and at most 36500 days.",
    ) == caught.value.problems


@pytest.mark.parametrize(
    "changes",
    [
        {"max_size": "5GB"},
        {"max_size": True},
        {"max_size": 2**63},
        {"expire_after": float("inf")},
        {"cors": "*"},
        {"trusted_proxies": "10.0.0.0/8"},
        {"trusted_proxies": ["10.0.0.0/8"]},
        {"gone_status": 400},
        {"relative_location": 1},
        {"lock_timeout": 0},
        {"buffer_budget": 0},
        {"sweep_interval": -1},
    ],
)
def test_a_bad_value_of_the_app_is_refused(changes: dict[str, object]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=rf"^{name}: .+\.$"):
        Config(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"host": ""},
        {"host": "a b"},
        {"port": 65536},
        {"port": True},
        {"data_dir": "data"},
        {"base_path": "files/"},
        {"base_path": "/a//b"},
        {"base_path": "/a/../b"},
        {"base_path": "/{id}"},
        {"base_path": "/files?x"},
        {"workers": 0},
        {"log_format": "xml"},
        {"log_level": "loud"},
        {"layout": "size"},
        {"max_header_size": 10},
        {"shutdown_grace": -1},
        {"app": None},
    ],
)
def test_a_bad_value_of_the_server_is_refused(changes: dict[str, object]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=rf"^{name}: .+\.$"):
        Settings(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": ""},
        {"url": "ftp://a/"},
        {"url": "//a/"},
        {"url": "http://"},
        {"url": "http:///path"},
        {"url": "http://a/ b"},
        {"url": "http://a/\r\nX-Evil: 1"},
        {"url": "http://a/#part"},
        {"url": "http://user:secret@a/"},
        {"url": "http://a:99999/"},
        {"url": "http://[::1/"},
        {"enabled_events": ("pre-crate",)},
        {"enabled_events": "pre-create"},
        {"forward_headers": ("a b",)},
        {"forward_headers": ("Content-Length",)},
        {"forward_headers": ("host",)},
        {"forward_headers": ("Transfer-Encoding",)},
        {"forward_headers": ("webhook-signature",)},
        {"retry": 0},
        {"timeout": 0},
        {"size_limit": 0},
        {"size_limit": 2**30},
        {"max_attempts": 0},
        {"secret_file": "secret"},
    ],
)
def test_a_bad_value_of_hooks_is_refused(changes: dict[str, object]) -> None:
    (name,) = changes
    with pytest.raises(ConfigError, match=rf"^{name}: .+\.$") as caught:
        HttpHooks(**{"url": "http://a/", **changes})  # type: ignore[arg-type]
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "url", ["http://a", "HTTPS://a.example:8443/x?token=y", "http://[::1]:80/", "http://127.0.0.1/"]
)
def test_hooks_may_go_anywhere(url: str) -> None:
    assert url == HttpHooks(url=url).url


@pytest.mark.parametrize("path", ["/", "/files", "/files/", "/a/b.c/d-e_f~g", "/.well-known/x"])
def test_a_base_path_may_end_with_a_slash_or_not(path: str) -> None:
    assert path == Settings(base_path=path, data_dir=Path("x")).base_path


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example",
        "http://localhost:3000",
        "http://[::1]:8080",
        "capacitor://localhost",
        "chrome-extension://abcdef",
    ],
)
def test_an_origin_as_browsers_send_it_is_taken(origin: str) -> None:
    assert (origin,) == Cors(origins=(origin,)).origins


@pytest.mark.parametrize(
    "origins",
    [
        (),
        ("*", "https://a.example"),
        ("null",),
        ("a.example",),
        ("https://a.example/",),
        ("https://a.example/page",),
        ("https://A.example",),
        ("https://a.example:443",),
        ("http://a.example:80",),
        ("https://*.example",),
        "*",
    ],
)
def test_an_origin_that_would_never_match_is_refused(origins: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match=r"^origins: "):
        Cors(origins=origins)


def test_credentials_need_exact_origins() -> None:
    assert Cors(origins=("https://a.example",), credentials=True).credentials
    with pytest.raises(ConfigError, match=r"^credentials: "):
        Cors(origins=("*",), credentials=True)


def test_a_header_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^extra_headers: "):
        Cors(origins=("*",), extra_headers=("X-A\r\nX-B",))


def test_importing_the_settings_loads_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; import tusd_py.config; "
        "print([m for m in sys.modules if m.split('.')[0] in "
        "('structlog', 'starlette', 'uvicorn', 'anyio', 'asyncio', 'click')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    assert "[]" == run.stdout.strip()


@pytest.mark.parametrize(
    "changes",
    [
        {"adaptive_buffers": 1},
        {"min_buffer_size": 4095},
        {"max_buffer_size": 64 * 2**20 + 1},
        {"buffer_optimization_interval": 0},
        {"min_buffer_size": 2**20, "max_buffer_size": 2**19},
        {"min_buffer_size": 2**23},
    ],
)
def test_a_bad_value_of_streaming_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=rf"^{next(iter(changes))}: .+\.$"):
        Streaming(**changes)  # type: ignore[arg-type]


def test_buffers_that_do_not_adapt_have_no_smallest_size() -> None:
    assert 2**14 == Streaming(adaptive_buffers=False, max_buffer_size=2**14).max_buffer_size
