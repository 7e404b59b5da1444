"""What signs a webhook, against known values."""

import base64
import json
import re
from pathlib import Path

import pytest

from tusd_py.hooks.signature import read_secret, signature_headers

PAGE = Path(__file__).parents[3] / "docs/reference/webhooks.md"
# The example of the specification of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - everybody knows it
ID, TIME, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_vector_of_standard_webhooks() -> None:
    assert {
        "Webhook-Id": ID,
        "Webhook-Timestamp": str(TIME),
        "Webhook-Signature": SIGNED,
    } == signature_headers(read_secret(SECRET), ID, TIME, BODY)


def test_the_documented_vector() -> None:
    (block,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    vector = json.loads(block)
    made = signature_headers(
        read_secret(vector["secret"]), vector["id"], vector["timestamp"], vector["body"].encode()
    )

    assert vector["signature"] == made["Webhook-Signature"]


@pytest.mark.parametrize(
    ("message_id", "timestamp", "body"),
    [("msg", TIME, BODY), (ID, TIME + 1, BODY), (ID, TIME, BODY + b" ")],
)
def test_each_part_is_signed(message_id: str, timestamp: int, body: bytes) -> None:
    made = signature_headers(read_secret(SECRET), message_id, timestamp, body)

    assert SIGNED != made["Webhook-Signature"]


def test_without_a_secret_there_is_no_signature() -> None:
    assert {"Webhook-Id": ID, "Webhook-Timestamp": "5"} == signature_headers(None, ID, 5, BODY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_???",
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
    ],
)
def test_what_is_no_secret_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"secret|Base64") as raised:
        read_secret(text)

    assert not text or text not in str(raised.value)


def test_white_space_around_a_secret_does_not_matter() -> None:
    assert read_secret(SECRET) == read_secret(f" {SECRET}\n")
