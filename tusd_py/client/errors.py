"""Why an upload of the client's did not come to its end.

Texts are plain sentences for the person at the client. None has a URL: a URL may be all that is
needed to upload or to read.
"""

from typing import ClassVar

from tusd_py.errors import TusError
from tusd_py.quantities import format_duration


class UploadFailed(TusError):
    """The root of the client's errors.

    Attributes:
        resumable: The same upload may go on later from where it stopped.
    """

    code: ClassVar[str] = "upload-failed"
    resumable = False


class Refused(UploadFailed):
    """The server said no, in a way that trying again does not change.

    Attributes:
        status: The HTTP status.
        problem: The code of the server's problem details, if it sent any.
        detail: The server's own words; empty if it had none.
    """

    code = "refused"

    def __init__(
        self, what: str, status: int, problem: str | None = None, detail: str = ""
    ) -> None:
        self.status = status
        self.problem = problem
        self.detail = detail
        told = f": {detail}" if detail else "."
        super().__init__(f"The server refused {what} with {status}{told}")


class NoTusServer(UploadFailed):
    """What answered at the URL does not speak tus."""

    code = "no-tus-server"

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(
            f"What answers at this URL does not speak tus 1.0.0 (status {status}). "
            "Is it the URL at which uploads are created?"
        )


class NotTrusted(UploadFailed):
    """What the server says of itself, or of an upload, would give secrets away."""

    code = "not-trusted"


class NotOffered(UploadFailed):
    """The server does not have what was asked for."""

    code = "not-offered"


class FileChanged(UploadFailed):
    """The file is not any more what it was when its upload began."""

    code = "file-changed"

    def __init__(self) -> None:
        super().__init__("The file changed while it was being uploaded. Upload it anew.")


class FileUnreadable(UploadFailed):
    """The file cannot be read."""

    code = "file-unreadable"


class GaveUp(UploadFailed):
    """There was no progress for as long as the options allow, or the server asked for longer.

    Attributes:
        seconds: For how long there was none.
    """

    code = "gave-up"
    resumable = True

    def __init__(self, seconds: float, why: str, asked: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(
            f"No progress for {seconds:.0f} s, the last time because {why}."
            if asked is None
            else f"No further attempt, because {why} and asks to come back in "
            f"{format_duration(round(asked))}, which is longer than the patience."
        )


class StateUnusable(UploadFailed):
    """The folder that remembers unfinished uploads cannot be used."""

    code = "state-unusable"
