"""Uploads of users whom an identity provider knows, by its JSON Web Tokens.

Run it with ``UPLOADS_PUBLIC_KEY="$(cat public.pem)" uvicorn examples.jwt_app:app``.
"""

import os
from pathlib import Path

from starlette.applications import Starlette

from tusd_py import FileStorage, SQLiteMetadata, TusApp
from tusd_py.auth import JwtKey, JwtSubject

root = Path("data")
key = JwtKey("RS256", os.environ["UPLOADS_PUBLIC_KEY"])
tus = TusApp(
    storage=FileStorage(root),
    metadata=SQLiteMetadata(root / "tus.db"),
    auth=JwtSubject(key, audience="uploads"),
)

app = Starlette(routes=tus.routes("/files"), lifespan=tus.lifespan)
