from pathlib import Path

from fastapi import FastAPI

from tusd_py import GB, Config, FileStorage, SQLiteMetadata, TusApp, Upload

root = Path("data")
tus = TusApp(
    storage=FileStorage(root),
    metadata=SQLiteMetadata(root / "tus.db"),
    config=Config(max_size=5 * GB),
)


@tus.on_finish
async def finished(upload: Upload, event_id: str) -> None:
    print(f"{upload.id} is at {root / 'files' / (upload.path or '')}")


app = FastAPI(lifespan=tus.lifespan)
app.router.routes.extend(tus.routes("/files"))
