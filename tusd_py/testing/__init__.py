"""Contract suites and fault injectors for authors of backends. Needs pytest.

A suite is a class with fixtures to override: derive from it in a test module of your own, give it
your backend, and each promise of the port is a test.
"""

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "The suites need pytest: pip install 'tusd-py[testing]'", name=error.name
    ) from error

# Before the suites are imported: it gives their assertions the messages of a test module's.
_SUITES = (
    "storage",
    "publishing",
    "leftovers",
    "composing",
    "files",
    "metadata",
    "listing",
    "locks",
    "sources",
    "uses",
    "quotas",
    "outbox",
    "clients",
)
for _module in _SUITES:
    pytest.register_assert_rewrite(f"{__name__}.{_module}")

from .clients import ClientsContract  # noqa: E402 - after the registration
from .composing import ComposingContract  # noqa: E402
from .faults import (  # noqa: E402
    Fault,
    FaultyComposingStorage,
    FaultyFileStorage,
    FaultyMetadata,
    FaultyStorage,
    Plan,
)
from .files import FileBackedContract  # noqa: E402
from .leftovers import LeftoversContract  # noqa: E402
from .listing import ListingContract  # noqa: E402
from .locks import LocksContract  # noqa: E402
from .metadata import MetadataContract  # noqa: E402
from .outbox import OutboxContract  # noqa: E402
from .publishing import PublishingContract  # noqa: E402
from .quotas import QuotasContract  # noqa: E402
from .sources import BodySourceContract  # noqa: E402
from .storage import StorageContract  # noqa: E402
from .uses import UsesContract  # noqa: E402

__all__ = [
    "BodySourceContract",
    "ClientsContract",
    "ComposingContract",
    "Fault",
    "FaultyComposingStorage",
    "FaultyFileStorage",
    "FaultyMetadata",
    "FaultyStorage",
    "FileBackedContract",
    "LeftoversContract",
    "ListingContract",
    "LocksContract",
    "MetadataContract",
    "OutboxContract",
    "Plan",
    "PublishingContract",
    "QuotasContract",
    "StorageContract",
    "UsesContract",
]
