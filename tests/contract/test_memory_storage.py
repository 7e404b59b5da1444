import pytest

from tusd_py.storage.memory import MemoryStorage
from tusd_py.testing import (
    ComposingContract,
    LeftoversContract,
    PublishingContract,
    StorageContract,
)


class TestMemoryStorage(StorageContract):
    persistent = False

    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


class TestPublishing(PublishingContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


class TestLeftovers(LeftoversContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()


class TestComposing(ComposingContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()
