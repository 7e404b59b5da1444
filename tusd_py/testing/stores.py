"""The metadata store that contracts are about."""

from collections.abc import AsyncIterator

import pytest

from tusd_py.metadata import Metadata


class StartedMetadata:
    """A store for each test. Override ``metadata``."""

    @pytest.fixture
    def metadata(self) -> Metadata:
        """A new store with nothing in it, not started."""
        raise NotImplementedError("Override the fixture 'metadata'.")

    @pytest.fixture
    async def started(self, metadata: Metadata) -> AsyncIterator[Metadata]:
        """The store, started, and closed after the test."""
        await metadata.start(durable=False)
        yield metadata
        await metadata.close()
