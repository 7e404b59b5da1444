"""What the guide to deployment and its examples say, as far as that needs no other program."""

import configparser
import json
import re
import shlex
from pathlib import Path

from tests.support.server import ServerProcess
from tusd_py.cli.settings import SETTINGS
from tusd_py.cli.sources import load
from tusd_py.config import Config, Settings
from tusd_py.quantities import parse_duration

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
GUIDE = (ROOT / "docs/guides/deployment.md").read_text()
FLAGS = {setting.flag for setting in SETTINGS} | {"--config", "--help"}
# What a supervisor leaves to its workers beyond their grace.
LENIENCE = 5.0


def unit() -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(EXAMPLES / "tusd-py.service")
    return parser["Service"]


def dockerfile() -> list[tuple[str, str]]:
    """The instructions and what follows them."""
    text = (EXAMPLES / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_every_flag_that_is_named_exists() -> None:
    texts = [GUIDE, *(path.read_text() for path in EXAMPLES.iterdir() if path.is_file())]
    commands = [line for text in texts for line in re.findall(r"tusd-py serve.*", text)]
    used = {flag for line in commands for flag in re.findall(r" (--[a-z-]+)", line)}

    assert used
    assert set() == used - FLAGS


def test_the_file_of_settings_in_the_guide_is_one(tmp_path: Path) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)
    path = tmp_path / "tusd-py.toml"
    path.write_text("".join(blocks))

    settings = load({"config": str(path)}, [], {}, FLAGS).settings

    assert settings.app.hooks is not None
    assert Path("/run/tusd-py/tusd-py.sock") == settings.unix_socket
    assert ("unix",) == settings.app.trusted_proxies


def test_proxies_are_more_patient_than_the_server() -> None:
    patience = [
        parse_duration(found)
        for name in ("nginx.conf", "Caddyfile")
        for found in re.findall(r"timeout ([0-9]+s)", (EXAMPLES / name).read_text())
    ]

    assert 4 == len(patience)
    assert min(patience) > max(Config().idle_timeout, Config().lock_timeout)


def test_the_unit_leaves_the_server_its_time_and_no_rights() -> None:
    service = unit()

    assert float(service["TimeoutStopSec"]) > Settings().shutdown_grace + LENIENCE
    assert ("SIGTERM", "mixed") == (service["KillSignal"], service["KillMode"])
    assert service["User"] not in ("", "root")
    assert "yes" == service["NoNewPrivileges"]


def test_the_command_of_the_unit_serves_and_ends(tmp_path: Path) -> None:
    (tmp_path / "tusd-py.toml").write_text('durability = "process"\n')
    program, *arguments = shlex.split(unit()["ExecStart"])
    moved = {
        "/etc/tusd-py.toml": str(tmp_path / "tusd-py.toml"),
        "/var/lib/tusd-py": str(tmp_path / "data"),
    }
    options = [moved.get(argument, argument) for argument in arguments]

    assert "/opt/tusd-py/bin/tusd-py" == program
    assert "serve" == options.pop(0)
    server = ServerProcess(tmp_path / "data", *options).start()
    assert 0 == server.stop()


def test_the_container_runs_as_a_user() -> None:
    users = [rest for name, rest in dockerfile() if name == "USER"]
    steps = [name for name, _ in dockerfile()]

    assert re.fullmatch(r"[1-9][0-9]+:[1-9][0-9]+", users[-1])
    assert "USER" in steps[steps.index("FROM", 1) :]
    assert steps.index("USER") < steps.index("ENTRYPOINT")


def test_the_container_is_made_of_what_is_there() -> None:
    copied = [rest.split() for name, rest in dockerfile() if name == "COPY"]
    sources = [each for words in copied if words[0] != "--from=build" for each in words[:-1]]
    bases = [rest.split()[0] for name, rest in dockerfile() if name == "FROM"]

    assert [] == [source for source in sources if not (ROOT / source).exists()]
    assert all(re.search(r":[0-9.]+-slim$", base) for base in bases)
    # What the package is built of, and its page on the registry.
    assert {"pyproject.toml", "README.md", "LICENSE", "tusd_py"} <= set(sources)


def test_the_container_is_set_as_the_server_is() -> None:
    (variables,) = [rest for name, rest in dockerfile() if name == "ENV"]
    names = {pair.partition("=")[0] for pair in variables.split()}

    assert set() == names - {setting.variable for setting in SETTINGS}


def test_the_container_is_stopped_as_the_server_is() -> None:
    last = dict(dockerfile())

    assert "SIGTERM" == last["STOPSIGNAL"]
    # Not through a shell, which would keep the signal to itself.
    assert ["/opt/tusd-py/bin/tusd-py", "serve"] == json.loads(last["ENTRYPOINT"])
