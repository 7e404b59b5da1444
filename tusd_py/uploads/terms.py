"""What a new upload has to keep to, as whoever lets it be created says."""

from typing import NamedTuple

from tusd_py.errors import NotGranted, Uncovered
from tusd_py.metadata import Use


class Terms(NamedTuple):
    """The terms of one creation; None is no such term.

    Attributes:
        length: Exactly how many bytes the upload has.
        max_length: The most bytes that it may have, also if its length is told later.
        use: What the creation takes of its grant.
        key_id: The key that signed the grant.
        signed_by: The key that signs the upload's URL.
    """

    length: int | None = None
    max_length: int | None = None
    use: Use | None = None
    key_id: str | None = None
    signed_by: str | None = None

    def check_length(self, length: int | None) -> None:
        """Let a length in bytes through, or None while it is not known.

        Raises:
            NotGranted: It is another one, too much, or not known where it has to be.
        """
        wrong = self.length is not None and length != self.length
        over = None not in (length, self.max_length) and (length or 0) > (self.max_length or 0)
        if wrong or over:
            raise NotGranted(Uncovered.LENGTH, self.key_id)


NO_TERMS = Terms()
