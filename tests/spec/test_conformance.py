"""The table of clauses, the tests and the code say the same."""

import re

import pytest

from .clauses import CLAUSES
from .conformance import DOCUMENT, ROOT, document, proofs

IDS = {clause.id for clause in CLAUSES}


def test_ids_are_unique() -> None:
    assert len(CLAUSES) == len(IDS)


@pytest.mark.parametrize(
    "clause_id",
    [
        clause.id
        for clause in CLAUSES
        if clause.bound == "server" and clause.keyword in ("MUST", "SHOULD", "CHOICE")
    ],
)
def test_every_clause_that_binds_a_server_is_proved(clause_id: str) -> None:
    assert proofs().get(clause_id)


def test_tests_prove_clauses_that_exist() -> None:
    assert set() == set(proofs()) - IDS


def test_the_code_names_clauses_that_exist() -> None:
    named = {
        clause_id
        for path in (ROOT / "tusd_py").rglob("*.py")
        for clause_id in re.findall(r"\bclause ([a-z-]+\.[a-z0-9-]+)", path.read_text("utf-8"))
    }

    assert named
    assert set() == named - IDS


def test_the_document_is_up_to_date() -> None:
    # If this fails: python -m tests.spec.conformance
    assert document(proofs()) == DOCUMENT.read_text("utf-8")
