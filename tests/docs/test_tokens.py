"""docs/reference/tokens.md says what the code does."""

import json
import re
from pathlib import Path

import pytest

from tests.docs.reference import TOKENS_PAGE
from tests.docs.vectors import NOW, RING, in_page, vectors, written
from tusd_py.auth.capability import verify_capability
from tusd_py.auth.claims import read_claims, write_claims
from tusd_py.auth.encoding import encode
from tusd_py.auth.grant import verify_grant
from tusd_py.auth.keyfile import read_keys
from tusd_py.auth.rights import Rights, names_of
from tusd_py.errors import Refusal, Uncovered

PAGE = TOKENS_PAGE.read_text()


def rows(heading: str) -> list[str]:
    """The first cells of the first table after a line that starts so."""
    table = re.split(r"\n\n", PAGE[PAGE.index(heading) :], maxsplit=2)[1]
    return re.findall(r"^\| `([^`]+)`", table, flags=re.MULTILINE)


def test_the_vectors_are_up_to_date() -> None:
    assert written() == in_page(PAGE), "make reference"


@pytest.mark.parametrize("vector", json.loads(in_page(PAGE))["grants"])
def test_the_grants_hold_and_say_their_claims(vector: dict[str, object]) -> None:
    grant = verify_grant(str(vector["token"]), RING, NOW)

    assert vector["claims"] == write_claims(grant)
    assert vector["key"] == grant.key_id


@pytest.mark.parametrize("vector", json.loads(in_page(PAGE))["capabilities"])
def test_the_capabilities_hold_and_say_their_claims(vector: dict[str, object]) -> None:
    capability = verify_capability(str(vector["token"]), RING, NOW)

    assert (vector["upload"], vector["subject"]) == (capability.upload_id, capability.subject)
    assert (vector["expires"], vector["rights"]) == (
        capability.expires,
        names_of(capability.rights),
    )


def test_every_claim_is_described_in_its_order() -> None:
    documented = rows("`g1.<key id>.<claims>.<signature>`. The signed")
    maximal = vectors()["grants"][1]["claims"]

    assert documented == [*list(maximal)[:5], "max", *list(maximal)[5:]]
    assert maximal == write_claims(read_claims(maximal))


def test_every_right_is_described_with_its_bit() -> None:
    described = re.findall(r"^\| `([A-Z-]+)` \|.*\| (\d+) \|$", PAGE, flags=re.MULTILINE)

    assert [(names_of(right)[0], str(right.value)) for right in Rights] == described


def test_every_reason_is_described() -> None:
    assert {*Refusal} == {*rows("## Why a token is refused")}


def test_everything_that_a_good_token_may_not_cover_is_described() -> None:
    assert {*Uncovered} == {*rows("A good token can be one for something else")}


def test_every_reason_but_that_of_retired_keys_has_a_vector() -> None:
    assert {*Refusal} - {Refusal.RETIRED_KEY} == {v["reason"] for v in vectors()["refused"]}


def test_the_file_of_keys_in_the_page_is_one(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    path = tmp_path / "keys.toml"
    path.write_text(block)
    path.chmod(0o600)

    (key,) = read_keys(path)[0].keys.values()
    assert vectors()["secrets"]["k1"] == encode(key.secret)
