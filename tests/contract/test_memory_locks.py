import pytest

from tusd_py.locks.memory import MemoryLocks
from tusd_py.protocol.upload import UploadId
from tusd_py.testing import LocksContract


class TestMemoryLocks(LocksContract):
    @pytest.fixture
    def locks(self) -> MemoryLocks:
        return MemoryLocks()

    async def test_nothing_is_left_of_a_lease(self, started: MemoryLocks) -> None:
        async with started.hold(UploadId("one"), timeout=0, on_revoke=lambda: None):
            held = len(started)

        assert (held, len(started)) == (1, 0)
