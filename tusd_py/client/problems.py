"""What a server says of an error."""

import json
from typing import Any

from .http import Answer

_MOST_DETAIL = 300


def read_problem(answer: Answer) -> tuple[str | None, str]:
    """The code and the words of an error: of problem details, or of plain text."""
    text = answer.body.decode("utf-8", "replace")
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind.endswith("json"):
        document = _read_json(text)
        code, detail = document.get("code"), document.get("detail") or document.get("title")
        return (code if isinstance(code, str) else None), _shortened(detail)
    if kind == "text/plain":
        return None, _shortened(text)
    if answer.headers.get("location"):
        return None, "It leads to another URL; use that one."
    return None, ""


def _read_json(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _shortened(text: object) -> str:
    if not isinstance(text, str):
        return ""
    first = text.strip().partition("\n")[0]
    # What a server says must not move the cursor of who reads it.
    return "".join(char for char in first if char.isprintable())[:_MOST_DETAIL]
