"""What only some systems have is missed on the others by nobody."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import REPOSITORY


@pytest.mark.slow
@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_everything_is_imported_and_uploads_work_without_what_a_system_lacks(
    system: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.elsewhere", system, str(tmp_path / "data")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)
