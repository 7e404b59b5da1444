"""Keys, a grant and a capability that the tests of tokens share."""

from tusd_py.auth.capability import Capability
from tusd_py.auth.claims import Grant
from tusd_py.auth.encoding import encode
from tusd_py.auth.keys import Key, KeyRing, KeyState
from tusd_py.auth.rights import DEFAULT_RIGHTS

SECRET = b"the secret of the key that signs"
OLD_SECRET = b"the secret of one that signed before"
NOW = 1_800_000_000

SIGNING = Key("new", SECRET)
VERIFYING = Key("old", OLD_SECRET, KeyState.VERIFYING)
RETIRED = Key("gone", b"the secret that somebody has stolen", KeyState.RETIRED)
RING = KeyRing([SIGNING, VERIFYING, RETIRED])

GRANT = Grant(
    id=encode(bytes(range(16))),
    subject="alice",
    not_before=NOW,
    expires=NOW + 900,
    max_length=10_000_000,
)
CAPABILITY = Capability(
    upload_id="0123abcd", subject="alice", expires=NOW + 86_400, rights=DEFAULT_RIGHTS
)


def ring_of(key: Key) -> KeyRing:
    """A ring of one key alone, which signs in it."""
    return KeyRing([Key(key.id, key.secret)])
