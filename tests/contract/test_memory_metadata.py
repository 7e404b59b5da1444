import pytest

from tusd_py.metadata.memory import MemoryMetadata
from tusd_py.testing import (
    ClientsContract,
    ListingContract,
    MetadataContract,
    OutboxContract,
    QuotasContract,
    UsesContract,
)


class TestMemoryMetadata(MetadataContract):
    persistent = False

    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()


class TestListing(ListingContract):
    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()


class TestUses(UsesContract):
    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()


class TestQuotas(QuotasContract):
    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()


class TestClients(ClientsContract):
    persistent = False

    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()


class TestOutbox(OutboxContract):
    @pytest.fixture
    def metadata(self) -> MemoryMetadata:
        return MemoryMetadata()
