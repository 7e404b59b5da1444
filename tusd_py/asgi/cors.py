"""CORS, and the lists that an embedding application's own CORS middleware needs."""

from tusd_py.config import Cors

ALLOW_METHODS: tuple[str, ...] = ("POST", "GET", "HEAD", "PATCH", "DELETE", "OPTIONS")
ALLOW_HEADERS: tuple[str, ...] = (
    "Authorization",
    "Content-Type",
    "Origin",
    "X-Requested-With",
    "X-Request-ID",
    "X-HTTP-Method-Override",
    "Tus-Resumable",
    "Upload-Length",
    "Upload-Offset",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Concat",
    "Upload-Checksum",
    "Range",
    "If-Range",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
)
EXPOSE_HEADERS: tuple[str, ...] = (
    "Location",
    "Upload-Offset",
    "Upload-Length",
    "Upload-Defer-Length",
    "Upload-Metadata",
    "Upload-Concat",
    "Upload-Expires",
    "Upload-Recommended-Chunk-Size",
    "Tus-Version",
    "Tus-Resumable",
    "Tus-Max-Size",
    "Tus-Extension",
    "Tus-Checksum-Algorithm",
    "X-Request-ID",
    "Retry-After",
    "Accept-Ranges",
    "Content-Disposition",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Last-Modified",
)


class CorsHeaders:
    """The CORS headers of every response, worked out once.

    Args:
        cors: Who may; None is nobody.
    """

    def __init__(self, cors: Cors | None) -> None:
        self._cors = cors
        self._actual: dict[str, str] = {}
        self._preflight: dict[str, str] = {}
        if cors is None:
            return
        if cors.credentials:
            self._actual["Access-Control-Allow-Credentials"] = "true"
        self._actual["Access-Control-Expose-Headers"] = ", ".join(EXPOSE_HEADERS)
        self._preflight = {
            "Access-Control-Allow-Methods": ", ".join(ALLOW_METHODS),
            "Access-Control-Allow-Headers": ", ".join((*ALLOW_HEADERS, *cors.extra_headers)),
            "Access-Control-Max-Age": str(cors.max_age),
        }

    def of(self, method: str, origin: str | None) -> dict[str, str]:
        """The headers for a request of this method from this origin."""
        if self._cors is None:
            return {}
        everyone = "*" in self._cors.origins
        # What a cache keeps for one origin is not for another.
        vary = {} if everyone else {"Vary": "Origin"}
        if origin is None or not (everyone or origin in self._cors.origins):
            return vary
        allowed = "*" if everyone else origin
        preflight = self._preflight if method == "OPTIONS" else {}
        return {"Access-Control-Allow-Origin": allowed, **vary, **self._actual, **preflight}
