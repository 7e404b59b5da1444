"""Which test proves which clause: ``docs/reference/conformance.md``.

Run ``python -m tests.spec.conformance`` to write it.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from .clauses import CLAUSES, Clause

ROOT = Path(__file__).parents[2]
TESTS = (ROOT / "tests" / "spec", ROOT / "tests" / "app")
DOCUMENT = ROOT / "docs" / "reference" / "conformance.md"

_INTRODUCTION = """\
# Conformance

What [tus 1.0.0](https://tus.io/protocols/resumable-upload) asks of a server, in our words, and
the tests that prove it. Each test runs against the application through ASGI, on the memory
backends and on files with SQLite. CHOICE marks what the specification leaves open and this server
decided.

This page is generated: `python -m tests.spec.conformance` writes it.
"""


def proofs() -> dict[str, list[str]]:
    """The tests by the clause that they are marked with, as ``file::function``."""
    found: dict[str, list[str]] = {}
    for folder in TESTS:
        for path in sorted(folder.glob("test_*.py")):
            for name, ids in _marked(ast.parse(path.read_text("utf-8"))):
                for clause_id in ids:
                    found.setdefault(clause_id, []).append(f"{path.relative_to(ROOT)}::{name}")
    return found


def document(tests: Mapping[str, Sequence[str]]) -> str:
    """The whole page."""
    parts = [_INTRODUCTION]
    for section, clauses in groupby(CLAUSES, key=lambda clause: clause.section):
        parts.append(f"\n## {section}\n")
        parts += [_entry(clause, tests.get(clause.id, ())) for clause in clauses]
    return "".join(parts)


def _entry(clause: Clause, tests: Sequence[str]) -> str:
    heading = f"\n**{clause.keyword}** {clause.requirement} `{clause.id}`\n\n"
    if clause.bound == "client":
        return heading + "- binds the client\n"
    return heading + "".join(f"- {_link(test)}\n" for test in tests)


def _link(test: str) -> str:
    path, name = test.split("::")
    sentence = name.removeprefix("test_").replace("_", " ")
    return f"[{sentence}](../../{path})"


def _marked(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call) and _is_mark(decorator.func):
                    yield node.name, [ast.literal_eval(argument) for argument in decorator.args]


def _is_mark(function: ast.expr) -> bool:
    return ast.unparse(function) == "pytest.mark.clause"


if __name__ == "__main__":
    DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
    DOCUMENT.write_text(document(proofs()), "utf-8")
