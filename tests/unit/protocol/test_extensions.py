import pytest

from tusd_py.protocol.extensions import Capabilities, Extension, discovery, extensions

NOTHING = Capabilities(composes=False, expires=False, terminates=False, trailers=False)
EVERYTHING = Capabilities(composes=True, expires=True, terminates=True, trailers=True)
ALWAYS = {
    Extension.CREATION,
    Extension.CREATION_WITH_UPLOAD,
    Extension.CREATION_DEFER_LENGTH,
    Extension.CHECKSUM,
}


def with_only(capability: str) -> Capabilities:
    names = ("composes", "expires", "terminates", "trailers")
    return Capabilities(**{name: name == capability for name in names})


def test_some_extensions_need_nothing() -> None:
    assert set(extensions(NOTHING)) == ALWAYS


def test_all_extensions_can_be_had() -> None:
    assert extensions(EVERYTHING) == tuple(Extension)


@pytest.mark.parametrize(
    ("capability", "more"),
    [
        ("composes", {Extension.CONCATENATION, Extension.CONCATENATION_UNFINISHED}),
        ("expires", {Extension.EXPIRATION}),
        ("terminates", {Extension.TERMINATION}),
        ("trailers", {Extension.CHECKSUM_TRAILER}),
    ],
)
def test_a_capability_adds_its_extensions(capability: str, more: set[Extension]) -> None:
    assert set(extensions(with_only(capability))) == ALWAYS | more


def test_discovery_lists_without_spaces() -> None:
    assert discovery(NOTHING, None) == {
        "Tus-Version": "1.0.0",
        "Tus-Extension": "creation,creation-with-upload,creation-defer-length,checksum",
        "Tus-Checksum-Algorithm": "sha1,sha256,sha512,md5,crc32c",
    }


@pytest.mark.parametrize("size", [0, 100])
def test_discovery_tells_a_limit(size: int) -> None:
    assert discovery(NOTHING, size)["Tus-Max-Size"] == str(size)
