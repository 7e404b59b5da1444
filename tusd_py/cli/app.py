"""The app of the commands, which ``serve`` serves and ``sweep`` sweeps."""

from dataclasses import replace

from tusd_py.asgi import TusApp
from tusd_py.auth import Grants, KeyFile
from tusd_py.config import Settings
from tusd_py.metrics import Meters
from tusd_py.wiring import backends, switches


def build_app(settings: Settings, meters: Meters | None = None) -> TusApp:
    """Make the app that settings ask for; nothing is opened yet."""
    parts = backends(settings)
    return TusApp(
        storage=parts.storage,
        metadata=parts.metadata,
        locks=parts.locks,
        auth=Grants(KeyFile(settings.auth_keys)) if settings.auth_keys is not None else None,
        config=settings.app,
        meters=meters,
        switches=switches(settings),
    )


def without_background(settings: Settings) -> Settings:
    """For what is done once, perhaps beside a server: nothing begins by itself."""
    return replace(settings, app=replace(settings.app, sweep_interval=0, recover_at_start=False))
