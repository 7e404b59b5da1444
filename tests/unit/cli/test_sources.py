"""Settings come from a file, variables and flags, and what is wrong is told all at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tusd_py.cli.settings import GROUPS, SETTINGS, Setting
from tusd_py.cli.sources import load
from tusd_py.config import Config, Cors, HttpHooks, Settings, Streaming
from tusd_py.errors import ConfigError
from tusd_py.quantities import MiB, days

FLAGS = [setting.flag for setting in SETTINGS]


def loaded(
    *,
    toml: Path | None = None,
    env: Mapping[str, str] | None = None,
    leftover: tuple[str, ...] = (),
    **flags: object,
) -> Settings:
    config = str(toml) if toml else None
    return load({"config": config, **flags}, leftover, env or {}, FLAGS).settings


def problems(
    *,
    toml: Path | None = None,
    env: Mapping[str, str] | None = None,
    leftover: tuple[str, ...] = (),
    **flags: object,
) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        loaded(toml=toml, env=env, leftover=leftover, **flags)
    return caught.value.problems


@pytest.fixture
def toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that problems name briefly, since it is in the working directory."""
    monkeypatch.chdir(tmp_path)
    return Path("tusd.toml")


def test_without_any_source_the_defaults_hold() -> None:
    assert Settings() == loaded()


def test_every_attribute_can_be_set() -> None:
    attributes = {
        f"{group}.{field.name}".lstrip(".")
        for group, found in GROUPS.items()
        for field in fields(found.type)
    }
    assert attributes - {"app", "app.cors", "app.hooks", "app.network", "app.streaming"} == {
        setting.attribute for setting in SETTINGS
    }
    assert len(SETTINGS) == len({setting.attribute for setting in SETTINGS})
    assert len(SETTINGS) == len({setting.variable for setting in SETTINGS})


def test_a_setting_has_one_name_in_three_spellings() -> None:
    (setting,) = (setting for setting in SETTINGS if setting.name == "max_size")
    assert ("--max-size", "TUSD_PY_MAX_SIZE") == (setting.flag, setting.variable)


def test_help_tells_the_default_with_its_unit() -> None:
    helps = {setting.name: setting.help for setting in SETTINGS}
    assert helps["buffer_budget"].endswith("Default: 64MiB.")
    assert helps["expire_after"].endswith("Default: 7d.")
    assert helps["max_size"].endswith("Default: none.")
    assert helps["disable_download"].endswith("Default: no.")
    assert helps["cors_origin"].endswith("Default: none.")


def test_all_of_a_file_is_taken(toml: Path) -> None:
    toml.write_text(
        """
        host = "::1"
        port = 8080
        data_dir = "store"
        max_size = "5GB"
        expire_after = "never"
        lock_timeout = 2.5
        idle_timeout = 30
        buffer_budget = 1048576
        cors_origin = ["https://a.example", "https://b.example"]
        cors_credentials = true
        cors_max_age = "1h"
        trusted_proxy = ["10.0.0.0/8"]
        """
    )
    cors = Cors(origins=("https://a.example", "https://b.example"), credentials=True, max_age=3600)
    app = Config(
        max_size=5 * 10**9,
        expire_after=None,
        lock_timeout=2.5,
        idle_timeout=30,
        buffer_budget=MiB,
        cors=cors,
        trusted_proxies=("10.0.0.0/8",),
    )
    expected = Settings(host="::1", port=8080, data_dir=Path("store"), app=app)
    assert expected == loaded(toml=toml)


def test_a_flag_beats_a_variable_which_beats_the_file(toml: Path) -> None:
    toml.write_text('host = "file"\nport = 1\nmax_size = "1MB"\n')
    env = {"TUSD_PY_HOST": "variable", "TUSD_PY_PORT": "2"}
    settings = loaded(toml=toml, env=env, host="flag")
    assert ("flag", 2, 10**6) == (settings.host, settings.port, settings.app.max_size)


def test_a_limit_of_the_file_can_be_lifted(toml: Path) -> None:
    toml.write_text('max_size = "1MB"\nexpire_after = "1h"\ndisable_download = true\n')
    app = loaded(toml=toml, max_size="none", expire_after="Never", disable_download=False).app
    assert (None, None, False) == (app.max_size, app.expire_after, app.disable_download)


def test_a_variable_holds_several_values_with_commas() -> None:
    env = {"TUSD_PY_TRUSTED_PROXY": "10.0.0.0/8, ::1/128", "TUSD_PY_CORS_ORIGIN": "*"}
    app = loaded(env=env).app
    assert ("10.0.0.0/8", "::1/128") == app.trusted_proxies
    assert Cors(origins=("*",)) == app.cors


@pytest.mark.parametrize(("text", "value"), [("true", True), ("1", True), ("No", False)])
def test_a_variable_is_a_switch(text: str, value: bool) -> None:
    assert value == loaded(env={"TUSD_PY_DISABLE_TERMINATION": text}).app.disable_termination


def test_an_empty_variable_counts_as_not_given() -> None:
    assert (
        days(7) == loaded(env={"TUSD_PY_EXPIRE_AFTER": "", "TUSD_PY_CONFIG": ""}).app.expire_after
    )


def test_an_empty_variable_of_keys_is_refused_and_does_not_serve_everybody() -> None:
    with pytest.raises(ConfigError, match="TUSD_PY_AUTH_KEYS"):
        loaded(env={"TUSD_PY_AUTH_KEYS": ""})


def test_other_variables_are_left_alone() -> None:
    assert Settings() == loaded(env={"PATH": "x", "TUSD_BIN": "x"})


def test_a_variable_names_the_file_and_a_flag_names_another(toml: Path) -> None:
    toml.write_text("port = 1")
    other = toml.with_name("other.toml")
    other.write_text("port = 2")
    env = {"TUSD_PY_CONFIG": str(toml)}
    assert 1 == loaded(env=env).port
    assert 2 == loaded(env=env, toml=other).port


def test_a_home_folder_is_found_in_files_too(toml: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    toml.write_text('data_dir = "~/store"')
    assert Path("/home/somebody/store") == loaded(toml=toml).data_dir


def test_problems_of_all_sources_are_told_together_with_their_place(toml: Path) -> None:
    toml.write_text('max_size = "5XB"\nprot = 80\nport = 99999\n')
    env = {"TUSD_PY_EXPIRE_AFTER": "soon", "TUSD_PY_MAX_SISE": "1"}
    assert (
        'tusd.toml: max_size: "5XB" is not a size such as 5GB or 512MiB.',
        "tusd.toml: prot: There is no such setting. Did you mean port?",
        "tusd.toml: port: 99999 is not a port from 0 to 65535.",
        'TUSD_PY_EXPIRE_AFTER: "soon" is not a duration such as 90s, 1h30m or 7d.',
        "TUSD_PY_MAX_SISE: There is no such setting. Did you mean TUSD_PY_MAX_SIZE?",
        '--durability: "tape" is not one of "disk", "process".',
        "--max-zise: There is no such setting. Did you mean --max-size?",
    ) == problems(toml=toml, env=env, leftover=("--max-zise", "5GB"), durability="tape")


def test_a_bad_value_is_told_even_where_a_better_one_beats_it(toml: Path) -> None:
    toml.write_text('port = "x"')
    assert ('tusd.toml: port: "x" is not a whole number.',) == problems(toml=toml, port="80")


def test_what_resembles_no_setting_gets_no_suggestion() -> None:
    assert ("TUSD_PY_QQQ: There is no such setting.",) == problems(env={"TUSD_PY_QQQ": "1"})


def test_keys_in_unknown_sections_are_told_with_their_path(toml: Path) -> None:
    toml.write_text("[server]\nport = 80\n[server.deep]\nx = 1\n[empty]\n")
    assert [
        "tusd.toml: server.port",
        "tusd.toml: server.deep.x",
        "tusd.toml: empty",
    ] == [problem.rpartition(": ")[0] for problem in problems(toml=toml)]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("host = 5", "5 is not text in quotes."),
        ('host = ""', '"" is not an address or a host\'s name.'),
        ("port = true", "True is not a whole number."),
        ("port = 80.0", "80 is not a whole number."),
        ('data_dir = ""', '"" is not a folder.'),
        ("max_size = 1.5", '"1.5" is not a whole number of bytes.'),
        ("max_size = true", '"True" is not a size such as 5GB or 512MiB.'),
        ('max_size = "never"', '"never" is not a size such as 5GB or 512MiB.'),
        ("max_size = 0", "0 is not a number of bytes from 1 to 9223372036854775807."),
        ("lock_timeout = -1", "-1 is not a number of seconds, more than 0 and at most 36500 days."),
        ('lock_timeout = "never"', '"never" is not a duration such as 90s, 1h30m or 7d.'),
        (
            "lock_timeout = nan",
            "nan is not a number of seconds, more than 0 and at most 36500 days.",
        ),
        ("disable_download = 1", "1 is neither true nor false."),
        ('cors_max_age = "1.5s"', '"1.5s" is not a whole number of seconds.'),
        ("cors_max_age = inf", "inf is not a whole number of seconds."),
        ("trusted_proxy = [5]", "5 is not text in quotes."),
        ('trusted_proxy = ["a"]', '"a" is not a network such as 10.0.0.0/8.'),
        ("cors_origin = []", "There is not even one."),
        ("gone_status = 500", "500 is not one of 404, 410."),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence(toml: Path, line: str, sentence: str) -> None:
    toml.write_text(line)
    key = line.partition(" ")[0]
    assert (f"tusd.toml: {key}: {sentence}",) == problems(toml=toml)


@given(st.sampled_from(SETTINGS), st.text(st.characters(exclude_categories=[])))
@example(next(s for s in SETTINGS if s.name == "data_dir"), "~nobody-of-this-name/x")
@example(next(s for s in SETTINGS if s.name == "port"), "\u0661")
def test_any_text_is_a_value_or_refused_in_a_sentence(setting: Setting, text: str) -> None:
    try:
        loaded(env={setting.variable: text})
    except ConfigError as error:
        (problem,) = error.problems
        assert problem.startswith(f"{setting.variable}: ")
        assert problem.isprintable()


def test_a_number_beyond_all_bounds_is_refused(toml: Path) -> None:
    toml.write_text(f"idle_timeout = 1{'0' * 400}\ncors_max_age = 1{'0' * 400}\n")
    assert 2 == len(problems(toml=toml))


def test_several_workers_are_refused_where_processes_have_no_locks(
    toml: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    toml.write_text("workers = 4")
    first, second = problems(toml=toml, port="x")
    assert first == "tusd.toml: workers: this system has no locks between processes; use 1."
    assert second.startswith("--port: ")


def test_hooks_are_a_section_of_the_file(toml: Path) -> None:
    toml.write_text(
        """
        [hooks]
        http = "https://app.example/hooks"
        enabled_events = ["pre-create", "post-finish"]
        http_forward_headers = "Cookie, X-Tenant"
        http_timeout = "5s"
        http_size_limit = "1KiB"
        """
    )
    expected = HttpHooks(
        url="https://app.example/hooks",
        enabled_events=("pre-create", "post-finish"),
        forward_headers=("Cookie", "X-Tenant"),
        timeout=5,
        size_limit=1024,
    )
    assert expected == loaded(toml=toml).app.hooks


def test_hooks_can_be_flags_and_variables() -> None:
    settings = loaded(
        env={"TUSD_PY_HOOKS_ENABLED_EVENTS": "pre-create,post-finish"}, hooks_http="http://a/"
    )
    assert HttpHooks(url="http://a/", enabled_events=("pre-create", "post-finish")) == (
        settings.app.hooks
    )


def test_the_hooks_of_tusd_are_on_by_default() -> None:
    (setting,) = (setting for setting in SETTINGS if setting.name == "hooks.enabled_events")
    on = "pre-create, post-create, post-receive, post-terminate, post-finish"
    assert setting.help.endswith(f"Default: {on}.")


def test_hooks_that_go_nowhere_are_told() -> None:
    (alone,) = problems(env={"TUSD_PY_HOOKS_HTTP_RETRY": "5"})
    assert "TUSD_PY_HOOKS_HTTP_RETRY: This needs hooks.http, to say where hooks go." == alone


def test_contradictions_between_settings_are_told_with_their_place() -> None:
    (star,) = problems(env={"TUSD_PY_CORS_CREDENTIALS": "yes"}, cors_origin=("*",))
    assert star.startswith("TUSD_PY_CORS_CREDENTIALS: Browsers want exact origins")
    (alone,) = problems(cors_credentials=True)
    assert "--cors-credentials: This needs cors_origin, to say for which pages." == alone


def test_a_file_that_is_not_there_is_told_with_who_named_it() -> None:
    assert ("--config nope.toml: There is no such file.",) == problems(toml=Path("nope.toml"))
    assert ("TUSD_PY_CONFIG nope.toml: There is no such file.",) == problems(
        env={"TUSD_PY_CONFIG": "nope.toml"}
    )


def test_a_file_that_cannot_be_read_is_told_with_the_other_problems(toml: Path) -> None:
    toml.mkdir()
    assert (
        "--config tusd.toml: The file cannot be read: Is a directory.",
        '--port: "x" is not a whole number.',
    ) == problems(toml=toml, port="x")


def test_a_file_that_is_not_toml_is_told_with_the_line(toml: Path) -> None:
    toml.write_text("port = 1\nhost\n")
    (problem,) = problems(toml=toml)
    assert problem.startswith("--config tusd.toml: The file is not TOML: ")
    assert "line 2" in problem


def test_a_file_that_is_not_text_is_told(toml: Path) -> None:
    toml.write_bytes(b"\xff\xfe")
    assert ("--config tusd.toml: The file is not text in UTF-8.",) == problems(toml=toml)


def test_unexpected_words_are_told() -> None:
    assert (
        "now: This is not expected here.",
        "--prot: There is no such setting. Did you mean --port?",
        "-v: There is no such setting.",
    ) == problems(leftover=("now", "--prot=80", "-v"))


def test_the_network_has_a_section_of_its_own(toml: Path) -> None:
    toml.write_text(
        "[network]\n"
        'reconnectdelay = "2s"\n'
        'interface_priority = ["eth0", "wlan0", "wwan0", "ppp0"]\n'
        "auto_switch_enabled = false\n"
        "switch_threshold_latency = 400\n"
        "switch_threshold_packet_loss = 2.5\n"
    )
    network = loaded(toml=toml, env={"TUSD_PY_NETWORK_PROBE_TARGET": "[::1]:443"}).app.network
    assert (2, ("eth0", "wlan0", "wwan0", "ppp0"), False) == (
        network.reconnectdelay,
        network.interface_priority,
        network.auto_switch_enabled,
    )
    assert (0.4, 0.025, "[::1]:443") == (
        network.switch_threshold_latency,
        network.switch_threshold_packet_loss,
        network.probe_target,
    )


def test_streaming_has_a_section_of_its_own(toml: Path) -> None:
    toml.write_text(
        "[streaming]\n"
        "adaptive_buffers = true\n"
        'min_buffer_size = "64KiB"\n'
        "max_buffer_size = 1048576\n"
        "buffer_optimization_interval = 0.5\n"
    )
    expected = Streaming(
        min_buffer_size=65536, max_buffer_size=2**20, buffer_optimization_interval=0.5
    )
    assert expected == loaded(toml=toml).app.streaming


def test_a_smallest_buffer_above_the_largest_is_told_where_it_was_asked_for() -> None:
    problem = "1048576 is more than the largest size, 524288 bytes (max_buffer_size)."
    assert (f"--streaming-min-buffer-size: {problem}",) == problems(
        streaming_min_buffer_size="1MiB", streaming_max_buffer_size="512KiB"
    )


@pytest.mark.parametrize(
    ("setting", "value", "problem"),
    [
        ("switch_threshold_latency", "fast", '"fast" is not a short time such as 500ms or 0.5s.'),
        ("switch_threshold_latency", "2m", '"2m" is not a short time such as 500ms or 0.5s.'),
        ("switch_threshold_latency", "0", "0 is not a time from 1ms to 60s."),
        ("switch_threshold_packet_loss", "101%", "1.01 is not a share from 0% to 100%."),
        ("switch_threshold_packet_loss", "-1", '"-1" is not a share such as 5%.'),
        ("probe_target", "here", '"here" is not of the form host:port or [::1]:port.'),
        ("probe_target", "a:65536", '"a:65536" is not of the form host:port or [::1]:port.'),
        ("interface_override", "a/b", '"a/b" is not the name of an interface.'),
    ],
)
def test_what_is_wrong_with_the_network_is_told(setting: str, value: str, problem: str) -> None:
    name = f"TUSD_PY_NETWORK_{setting.upper()}"
    assert (f"{name}: {problem}",) == problems(env={name: value})
