"""An application that the upload server asks and tells over HTTP.

Make a secret, and give it to both::

    (umask 077; echo "whsec_$(openssl rand -base64 32)" > secret)
    HOOKS_SECRET=$(cat secret) uvicorn examples.hooks_app:app --port 8000
    tusd-py serve --hooks-http http://127.0.0.1:8000/hooks --hooks-secret-file secret
"""

import base64
import hashlib
import hmac
import json
import os
import re
import time
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = base64.b64decode(os.environ["HOOKS_SECRET"].strip().removeprefix("whsec_"))
TOLERANCE = 300

finished: dict[str, str] = {}
"""Where the files are, by the id of the message that told of them."""


def genuine(request: Request, body: bytes) -> bool:
    """Tell whether the upload server sent this, and not long ago."""
    message_id, timestamp, signature = (
        request.headers.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    digest = hmac.digest(SECRET, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    expected = f"v1,{base64.b64encode(digest).decode()}"
    # No longer than a time is: numbers without end are no numbers to Python.
    if not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    fresh = abs(time.time() - int(timestamp)) < TOLERANCE
    return fresh and hmac.compare_digest(signature.encode(), expected.encode())


async def hear(request: Request) -> Response:
    body = await request.body()
    if not genuine(request, body):
        return JSONResponse({"error": "unknown sender"}, status_code=401)
    hook = json.loads(body)
    upload = hook["Event"]["Upload"]
    if hook["Type"] == "pre-create":
        return JSONResponse(before(upload["MetaData"]))
    if hook["Type"] == "post-finish" and not upload["IsPartial"]:
        # The same message may come again: its id tells.
        finished[request.headers["webhook-id"]] = upload["Storage"]["Path"]
    return JSONResponse({})


def before(metadata: dict[str, str]) -> dict[str, Any]:
    """Let no upload in that has no name, and keep nothing of its metadata but that."""
    if not metadata.get("filename"):
        message = json.dumps({"message": "A file needs a name."})
        header = {"Content-Type": "application/json"}
        response = {"StatusCode": 422, "Body": message, "Header": header}
        return {"RejectUpload": True, "HTTPResponse": response}
    return {"ChangeFileInfo": {"MetaData": {"filename": metadata["filename"]}}}


app = Starlette(routes=[Route("/hooks", hear, methods=["POST"])])
