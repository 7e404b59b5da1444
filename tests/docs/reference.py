"""Writes what docs/reference has from the code: ``python -m tests.docs.reference``."""

from collections.abc import Iterator
from pathlib import Path

import click

from tests.docs.vectors import with_vectors
from tusd_py import errors
from tusd_py.asgi.errors import answer_error
from tusd_py.cli.main import cli
from tusd_py.cli.settings import SETTINGS
from tusd_py.config import Config
from tusd_py.metrics.table import PREFIX, SAMPLES, TABLE, Kind

ROOT = Path(__file__).parents[2]
SETTINGS_PAGE = ROOT / "docs/reference/settings.md"
ERRORS_PAGE = ROOT / "docs/reference/errors.md"
METRICS_PAGE = ROOT / "docs/reference/metrics.md"
COMMANDS_PAGE = ROOT / "docs/reference/commands.md"
TOKENS_PAGE = ROOT / "docs/reference/tokens.md"

_MANY = 30
_EXAMPLES: tuple[errors.TusError, ...] = (
    errors.InvalidHeader("Upload-Offset", "is missing"),
    errors.InvalidConcat("Upload-Concat must list URLs, one space between them."),
    errors.UnknownAlgorithm(["sha1", "sha256"]),
    errors.NotAuthenticated(),
    errors.TokenRefused(errors.Refusal.EXPIRED),
    errors.GrantUsed(),
    errors.QuotaExceeded(5),
    errors.NotGranted(errors.Uncovered.LENGTH),
    errors.UploadIsFinal(),
    errors.UploadNotFound("id"),
    errors.MethodNotAllowed(["OPTIONS", "POST"]),
    errors.OffsetMismatch(claimed=5, actual=7),
    errors.UnsupportedVersion(None),
    errors.PreconditionFailed(),
    errors.TooLarge(limit=5, what="This upload"),
    errors.UnsupportedMediaType(),
    errors.RangeNotSatisfiable(5),
    errors.LockTimeout("id"),
    errors.SubjectBusy(unfinished=True),
    errors.ChecksumMismatch(),
    errors.CallableFailed("on_create"),
    errors.StorageError(),
    errors.StorageDamaged("id", recorded=7, stored=5),
    errors.MetadataError(),
    errors.TusError("The server failed. Try again."),
    errors.NotSupported("concatenation"),
    errors.MetadataUnavailable(),
    errors.HookUnavailable("pre-create"),
    errors.TooManyUploads(),
    errors.TransferStopped("idle"),
    errors.StorageFull(),
    errors.Reject(403, "What the application said."),
)


def settings_page() -> str:
    """The page of all settings, from the one table."""
    lines = [
        "# Settings",
        "",
        "Of the standalone server: a key of the TOML file that `--config` or `TUSD_PY_CONFIG` names,",
        "an environment variable, or a flag of `tusd-py serve`, in rising precedence. Sizes are",
        "written `5GB` or `5GiB`, durations `90s`, `1h30m` or `7d`. `TusApp` takes the same as a",
        "`Config`. Keys that begin with `network.` stand in the file's section `[network]`; most are",
        "for `tusd-py network` too, and flags of that: `tusd-py serve --help` names its own.",
        "",
        "| key | variable | flag | what it does |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{setting.name}` | `{setting.variable}` | `{setting.flag}` | {setting.help} |"
        for setting in SETTINGS
    ]
    return "\n".join(lines) + "\n"


def errors_page() -> str:
    """The page of all errors that clients can meet."""
    lines = [
        "# Errors",
        "",
        "Every error answer is a problem (RFC 9457, `application/problem+json`) with a stable `code`",
        "and a plain sentence as `detail`. The code is in the log line too. A HEAD has no body, and",
        "gets 423 where another method gets a 5xx that will pass: clients take anything else as a",
        "reason to start from zero.",
        "",
        "| status | code | for example |",
        "|---|---|---|",
    ]
    lines += [
        f"| {answer_error(error, 'PATCH', Config()).status} | `{error.code}` | {error} |"
        for error in _EXAMPLES
    ]
    lines += [
        "",
        "In the log, 499 stands for a client that left before its answer. Headers that are",
        "too long or too slow are answered with 431 and 408 before anything else is looked at.",
    ]
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """The page of all metrics, from the one table."""
    lines = [
        "# Metrics",
        "",
        "What `/metrics` tells Prometheus. All names begin with `tusd_py_`; counters end in `_total`.",
        "Gauges and histograms of several workers are added up. What is labelled appears once it has",
        "happened. How to read them, and alerts: [operations](../guides/operations.md).",
        "",
        "| metric | kind | labels | what it tells |",
        "|---|---|---|---|",
    ]
    for metric in TABLE:
        counter = metric.kind is Kind.COUNTER
        name = f"{PREFIX}{metric.name}{'_total' if counter else ''}"
        kind = metric.kind.value if counter or metric.kind is Kind.HISTOGRAM else "gauge"
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "none"
        lines.append(f"| `{name}` | {kind} | {labels} | {metric.help} |")
    lines += [f"| `{PREFIX}{name}` | gauge | none | {about} |" for name, about in SAMPLES.items()]
    lines += [
        f"| `{PREFIX}processes` | gauge | none | Processes that serve. |",
        f"| `{PREFIX}build_info` | gauge | `version` | The version of the program. |",
        "",
        "Those of the outbox are there if an application is told anything: by callables, or over HTTP.",
        "A server with one process tells its memory, CPU time and open files too, under",
        "Prometheus's own names (`process_resident_memory_bytes` ...).",
    ]
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The page of all commands, as they describe themselves."""
    lines = [
        "# Commands",
        "",
        "As `tusd-py COMMAND --help` has them. Flags that are settings are in [settings](settings.md).",
        "Exit codes are 0 for done, 1 for what is not there or could not be done, and 2 for what was",
        "asked for wrongly; `upload` has 130 for an interrupt. Sentences about problems go to stderr.",
    ]
    settings = {setting.flag for setting in SETTINGS}
    for name, command in _commands("tusd-py", cli):
        usage = " ".join(command.collect_usage_pieces(click.Context(command)))
        lines += ["", f"## {name}", "", f"`{name} {usage}`", "", _prose(command.help or "")]
        options = [
            option
            for option in command.params
            if isinstance(option, click.Option) and not settings & {*option.opts}
        ]
        if options:
            lines += ["", "| option | |", "|---|---|"]
            lines += [f"| `{_form(option)}` | {option.help or ''} |" for option in options]
        flags = [
            option.opts[-1].partition("/")[0]
            for option in command.params
            if settings & {*option.opts}
        ]
        if flags:
            # Those that take all are not for reading here.
            named = ", ".join(f"`{flag}`" for flag in flags) if len(flags) < _MANY else "all"
            lines += ["", f"Settings: {named}."]
    return "\n".join(lines) + "\n"


def _commands(name: str, group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for word, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from _commands(f"{name} {word}", command)
        else:
            yield f"{name} {word}", command


def _prose(text: str) -> str:
    return " ".join(text.split())


def _form(option: click.Option) -> str:
    metavar = "" if option.is_flag else f" {option.metavar or 'TEXT'}"
    return f"{option.opts[-1]}{metavar}"


def main() -> None:
    """Write the pages, and the vectors into theirs."""
    SETTINGS_PAGE.write_text(settings_page())
    ERRORS_PAGE.write_text(errors_page())
    METRICS_PAGE.write_text(metrics_page())
    COMMANDS_PAGE.write_text(commands_page())
    TOKENS_PAGE.write_text(with_vectors(TOKENS_PAGE.read_text()))


if __name__ == "__main__":
    main()
