"""The pictures in docs/images, and what they were taken of."""

import hashlib
from pathlib import Path

from tests.support.tools import files_of

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs/images"
# Says of which sources the pictures are, in the form that `sha256sum --check` reads.
TAKEN_OF = IMAGES / "taken-of.sha256"
_PAGES = (ROOT / "examples/tus-js-client", ROOT / "examples/uppy")


def sources() -> str:
    """The digests of all files that make up the pages."""
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(ROOT).as_posix()}\n"
        for page in _PAGES
        for file in files_of(page)
        if file.suffix != ".md"
    ]
    return "".join(lines)
