"""A page whose users upload with tus-js-client: the backend signs a grant for each upload.

Run it with ``tusd-py keys new --file keys.toml`` and ``uvicorn examples.fastapi_grants:app``. The
page takes tus-js-client from ``node_modules``, where ``npm install tus-js-client`` puts it.
"""

from pathlib import Path
from typing import Annotated

from fastapi import Cookie, Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field

from tusd_py import GB, FileStorage, SQLiteMetadata, TusApp
from tusd_py.auth import Grants, KeyFile, Signer

PAGE = Path(__file__).with_name("fastapi_grants.html")
CLIENT = Path("node_modules/tus-js-client/dist/tus.min.js")
ROOT = Path("data")

# The backend and the upload server share the keys. Here both are one program; they need not be.
keys = KeyFile("keys.toml")
signer = Signer(keys)
tus = TusApp(storage=FileStorage(ROOT), metadata=SQLiteMetadata(ROOT / "tus.db"), auth=Grants(keys))

app = FastAPI(lifespan=tus.lifespan)

# Stands in for your login and its sessions: whoever opens the page is alice.
SESSIONS = {"alice-session": "alice"}


def logged_in(session: Annotated[str, Cookie()] = "") -> str:
    if session not in SESSIONS:
        raise HTTPException(401, "Log in first.")
    return SESSIONS[session]


class Wanted(BaseModel):
    """What the page wants to upload."""

    length: Annotated[int, Field(ge=0, le=5 * GB)]


class Given(BaseModel):
    """What the page sends with the creation of the upload."""

    grant: str


# No coroutine: the file of keys is looked at now and then, which belongs in a thread.
@app.post("/grants")
def give_grant(wanted: Wanted, user: Annotated[str, Depends(logged_in)]) -> Given:
    grant = signer.grant(
        subject=user,
        length=wanted.length,
        allowed_metadata=["filename", "filetype"],
        path="/files/",
    )
    return Given(grant=grant)


@app.get("/")
def page() -> FileResponse:
    response = FileResponse(PAGE)
    response.set_cookie("session", "alice-session", httponly=True, samesite="strict")
    return response


@app.get("/tus.min.js")
def client() -> FileResponse:
    if not CLIENT.exists():
        raise HTTPException(404, "Run `npm install tus-js-client` first.")
    return FileResponse(CLIENT)


app.router.routes.extend(tus.routes("/files"))
