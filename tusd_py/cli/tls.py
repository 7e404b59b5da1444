"""The certificate, looked at before the server starts."""

import ssl
from pathlib import Path

from .failures import CannotStart


def check_tls(cert: Path | None, key: Path | None) -> None:
    """Refuse to begin with a certificate that cannot be used, if there shall be one.

    Raises:
        CannotStart: A file is missing or wrong, or they are not for each other.
    """
    if cert is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password OpenSSL would ask at the terminal.
        context.load_cert_chain(cert, key, password=lambda: b"")
    except ssl.SSLError as error:
        why = _WHY.get(error.reason or "", "It has to be in PEM form, and the key not encrypted.")
        raise CannotStart(f"The certificate {_named(cert, key)} cannot be used. {why}") from error
    except OSError as error:
        name = f"{_named(cert, key)} cannot be read"
        raise CannotStart(f"The certificate {name}: {error.strerror}.") from error


_WHY = {"KEY_VALUES_MISMATCH": "The key is another certificate's."}


def _named(cert: Path, key: Path | None) -> str:
    return str(cert) if key is None else f"{cert} with the key {key}"
