"""The unit for systemd, as systemd reads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.tools import require_tool

UNIT = Path(__file__).parents[2] / "examples" / "tusd-py.service"


def test_systemd_has_nothing_to_say_against_the_unit(tmp_path: Path) -> None:
    analyze = require_tool("systemd-analyze")
    unit = tmp_path / UNIT.name
    text = UNIT.read_text()
    assert text.count("/opt/tusd-py/bin/tusd-py ") == 1
    # It looks whether the program is there.
    unit.write_text(text.replace("/opt/tusd-py/bin/tusd-py ", f"{sys.executable} -m tusd_py "))

    done = subprocess.run(
        [analyze, "verify", str(unit)], check=False, capture_output=True, text=True, timeout=60
    )

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
