"""What tus 1.0.0 asks for, clause by clause, in our words.

``CHOICE`` is not a word of the specification: it marks what it leaves open and this server decided.
"""

from dataclasses import dataclass
from typing import Literal

Keyword = Literal["MUST", "SHOULD", "MAY", "CHOICE"]
Bound = Literal["server", "client"]


@dataclass(frozen=True, slots=True)
class Clause:
    """One requirement.

    Attributes:
        id: The part of the protocol, a dot, and what it is about.
        keyword: How strong it is; a prohibition counts as the word that it denies.
        section: The heading in the specification.
        requirement: What is required.
        bound: Whom it binds. What binds only the client needs no test.
    """

    id: str
    keyword: Keyword
    section: str
    requirement: str
    bound: Bound = "server"


_HEADERS = "Core Protocol: Headers"
_HEAD = "Core Protocol: HEAD"
_PATCH = "Core Protocol: PATCH"
_OPTIONS = "Core Protocol: OPTIONS"
_CREATION = "Creation"
_WITH_UPLOAD = "Creation With Upload"
_EXPIRATION = "Expiration"
_CHECKSUM = "Checksum"
_TERMINATION = "Termination"
_CONCATENATION = "Concatenation"

CLAUSES: tuple[Clause, ...] = (
    Clause("core.implemented", "MUST", "Core Protocol", "HEAD, PATCH and OPTIONS are there."),
    Clause(
        "core.offset-integer",
        "MUST",
        _HEADERS,
        "An Upload-Offset is a whole number of bytes, zero or more.",
    ),
    Clause(
        "core.length-integer",
        "MUST",
        _HEADERS,
        "An Upload-Length is a whole number of bytes, zero or more.",
    ),
    Clause(
        "core.tus-version",
        "MUST",
        _HEADERS,
        "Tus-Version lists the versions that the server speaks, with commas in between.",
    ),
    Clause(
        "core.tus-version-order", "MUST", _HEADERS, "Tus-Version has the preferred version first."
    ),
    Clause(
        "core.every-response",
        "MUST",
        _HEADERS,
        "Tus-Resumable is in each response, save those to OPTIONS.",
    ),
    Clause(
        "core.every-request",
        "MUST",
        _HEADERS,
        "Tus-Resumable is in each request, save OPTIONS.",
        "client",
    ),
    Clause(
        "core.resumable-value", "MUST", _HEADERS, "Tus-Resumable is the version that is spoken."
    ),
    Clause(
        "core.version-412",
        "MUST",
        _HEADERS,
        "A version that the server does not speak gets 412, with Tus-Version.",
    ),
    Clause(
        "core.version-unprocessed",
        "MUST",
        _HEADERS,
        "A request of a version that the server does not speak has no effect.",
    ),
    Clause(
        "core.version-missing",
        "CHOICE",
        _HEADERS,
        "A request without Tus-Resumable counts as one of an unknown version; a GET needs none.",
    ),
    Clause(
        "core.extension-list",
        "MUST",
        _HEADERS,
        "Tus-Extension lists the extensions on offer, with commas in between.",
    ),
    Clause(
        "core.extension-omitted",
        "MUST",
        _HEADERS,
        "Tus-Extension is left out if there are none, so it is never empty.",
    ),
    Clause(
        "core.max-size-integer",
        "MUST",
        _HEADERS,
        "Tus-Max-Size is the most bytes of an upload, a whole number.",
    ),
    Clause("core.max-size-known", "SHOULD", _HEADERS, "A known hard limit is told."),
    Clause(
        "core.method-override",
        "MUST",
        _HEADERS,
        "X-HTTP-Method-Override, where it is sent, is the request's method.",
    ),
    Clause(
        "core.method-override-ignores-actual",
        "MUST",
        _HEADERS,
        "The actual method counts for nothing then.",
    ),
    Clause(
        "core.method-override-use",
        "SHOULD",
        _HEADERS,
        "The override is for environments without PATCH or DELETE.",
        "client",
    ),
    Clause(
        "core.repeated-header",
        "CHOICE",
        _HEADERS,
        "A number that is sent twice is no number and gets 400.",
    ),
    Clause(
        "core.errors",
        "CHOICE",
        _HEADERS,
        "An error is a problem document, is not cached, and carries no Location, and no "
        "Upload-Offset unless it is a 409.",
    ),
    Clause("head.offset", "MUST", _HEAD, "Upload-Offset is there, also at 0 and at the end."),
    Clause("head.length", "MUST", _HEAD, "Upload-Length is there if it is known."),
    Clause(
        "head.not-found",
        "SHOULD",
        _HEAD,
        "What is not there gets 404, 410 or 403, without Upload-Offset.",
    ),
    Clause("head.status", "SHOULD", _HEAD, "Success is 200 or 204; here 200."),
    Clause("head.no-store", "MUST", _HEAD, "The answer is not cached: Cache-Control: no-store."),
    Clause("patch.any-url", "SHOULD", _PATCH, "Bytes are taken at any upload's URL and offset."),
    Clause("patch.content-type", "SHOULD", _PATCH, "Another content type gets 415."),
    Clause(
        "patch.content-type-sent",
        "MUST",
        _PATCH,
        "The content type is application/offset+octet-stream.",
        "client",
    ),
    Clause(
        "patch.offset-header",
        "MUST",
        _PATCH,
        "Upload-Offset says where the bytes go; without a good one the answer is 400.",
    ),
    Clause("patch.offset-mismatch", "MUST", _PATCH, "Another offset than the upload's gets 409."),
    Clause("patch.mismatch-unmodified", "MUST", _PATCH, "A 409 leaves the upload as it was."),
    Clause(
        "patch.one-request",
        "SHOULD",
        _PATCH,
        "All that is left is sent in one request.",
        "client",
    ),
    Clause("patch.small-requests", "MAY", _PATCH, "Or in many.", "client"),
    Clause("patch.success", "MUST", _PATCH, "Success is 204."),
    Clause("patch.new-offset", "MUST", _PATCH, "Success carries Upload-Offset, the new one."),
    Clause(
        "patch.offset-sum",
        "MUST",
        _PATCH,
        "The new offset is the old one and the bytes that were stored of this request.",
    ),
    Clause("patch.not-found", "SHOULD", _PATCH, "What is not there gets 404."),
    Clause(
        "patch.network-errors",
        "SHOULD",
        _PATCH,
        "Errors of the network are noticed and have a defined outcome.",
    ),
    Clause("patch.timeouts", "MAY", _PATCH, "Time-outs are one way to notice them."),
    Clause("patch.timeout-closes", "SHOULD", _PATCH, "A time-out ends the connection."),
    Clause("patch.keep", "SHOULD", _PATCH, "As many of the received bytes as possible are kept."),
    Clause(
        "patch.exceeds-length",
        "CHOICE",
        _PATCH,
        "A body past the upload's length gets 413; if Content-Length tells, nothing of it is "
        "read, and never is a byte stored past the length.",
    ),
    Clause(
        "patch.empty",
        "CHOICE",
        _PATCH,
        "A request without bytes at the upload's offset is a success.",
    ),
    Clause(
        "patch.finished",
        "CHOICE",
        _PATCH,
        "So it is at the end of a finished upload, which takes no more bytes.",
    ),
    Clause(
        "patch.order",
        "CHOICE",
        _PATCH,
        "Checks come in one order: override, route, version, identity, headers, access, state; "
        "all before the first byte of the body.",
    ),
    Clause("core.options-version", "MUST", _OPTIONS, "Success, here 200, carries Tus-Version."),
    Clause(
        "core.options-capabilities",
        "MAY",
        _OPTIONS,
        "It carries Tus-Extension and Tus-Max-Size, too.",
    ),
    Clause(
        "core.options-ignores-version", "MUST", _OPTIONS, "Tus-Resumable in the request is ignored."
    ),
    Clause(
        "core.options-without-version",
        "SHOULD",
        _OPTIONS,
        "Tus-Resumable is not sent.",
        "client",
    ),
    Clause(
        "core.feature-detection",
        "SHOULD",
        "Protocol Extensions",
        "OPTIONS is how a client finds out about extensions.",
    ),
    Clause("creation.offered", "SHOULD", _CREATION, "The extension is implemented."),
    Clause("creation.advertised", "MUST", _CREATION, "It is advertised as creation."),
    Clause(
        "creation.defer-value", "MUST", _CREATION, "Upload-Defer-Length is 1; other values get 400."
    ),
    Clause(
        "creation.defer-omitted",
        "MUST",
        _CREATION,
        "Upload-Defer-Length is left out where the length is not deferred.",
    ),
    Clause(
        "creation.metadata-pairs",
        "MUST",
        _CREATION,
        "Upload-Metadata is pairs of key and value, with commas in between.",
    ),
    Clause("creation.metadata-separator", "MUST", _CREATION, "One space is between key and value."),
    Clause(
        "creation.metadata-key",
        "MUST",
        _CREATION,
        "A key is not empty and has neither space nor comma.",
    ),
    Clause("creation.metadata-ascii", "SHOULD", _CREATION, "A key is ASCII."),
    Clause("creation.metadata-base64", "MUST", _CREATION, "A value is Base64."),
    Clause("creation.metadata-unique", "MUST", _CREATION, "No key comes twice."),
    Clause(
        "creation.metadata-empty",
        "MAY",
        _CREATION,
        "A value may be empty, and then its space may be missing.",
    ),
    Clause(
        "creation.metadata-sanitised",
        "SHOULD",
        _CREATION,
        "Values are checked or cleaned before they become headers.",
    ),
    Clause("creation.post", "MUST", _CREATION, "Uploads are created by POST.", "client"),
    Clause(
        "creation.length-or-deferred",
        "MUST",
        _CREATION,
        "A creation has Upload-Length or Upload-Defer-Length; neither or both get 400.",
    ),
    Clause(
        "creation.length-later",
        "MUST",
        _CREATION,
        "A deferred length is sent with the PATCH by which it is known.",
    ),
    Clause("creation.length-once", "MUST", _CREATION, "A known length never changes."),
    Clause(
        "creation.defer-head",
        "MUST",
        _CREATION,
        "HEAD has Upload-Defer-Length: 1 as long as the length is not known.",
    ),
    Clause(
        "creation.defer-advertised",
        "MUST",
        _CREATION,
        "Deferring is advertised as creation-defer-length.",
    ),
    Clause(
        "creation.empty",
        "MAY",
        _CREATION,
        "An upload of length 0 is finished once it is created.",
    ),
    Clause(
        "creation.metadata-use",
        "MAY",
        _CREATION,
        "The server may use metadata, refuse the request for it, or ignore it.",
    ),
    Clause("head.metadata", "MUST", _CREATION, "HEAD has Upload-Metadata as the client sent it."),
    Clause("creation.max-size", "MUST", _CREATION, "A length over Tus-Max-Size gets 413."),
    Clause("creation.created", "MUST", _CREATION, "Success is 201."),
    Clause("creation.location", "MUST", _CREATION, "Location is the upload's URL."),
    Clause(
        "creation.location-form",
        "MAY",
        _CREATION,
        "It may be absolute, which it is unless set otherwise, or relative.",
    ),
    Clause("creation.core", "MUST", _CREATION, "The upload itself is the core's.", "client"),
    Clause(
        "creation.bodiless",
        "CHOICE",
        _CREATION,
        "A creation without bytes needs no header that speaks of a body, and may have any "
        "content type.",
    ),
    Clause(
        "creation.collection",
        "CHOICE",
        _CREATION,
        "The creation URL is the same with and without a slash at its end; nothing redirects.",
    ),
    Clause(
        "creation-with-upload.advertised",
        "MUST",
        _WITH_UPLOAD,
        "It is advertised as creation-with-upload.",
    ),
    Clause(
        "creation-with-upload.needs-creation", "MUST", _WITH_UPLOAD, "Not without creation, though."
    ),
    Clause(
        "creation-with-upload.content-type-sent",
        "MUST",
        _WITH_UPLOAD,
        "The content type is that of PATCH.",
        "client",
    ),
    Clause(
        "creation-with-upload.content-type",
        "CHOICE",
        _WITH_UPLOAD,
        "Bytes of another content type get 415.",
    ),
    Clause(
        "creation-with-upload.accepts", "SHOULD", _WITH_UPLOAD, "As many bytes as possible count."
    ),
    Clause(
        "creation-with-upload.offset",
        "MUST",
        _WITH_UPLOAD,
        "The answer has Upload-Offset: how many bytes counted; here also without a body.",
    ),
    Clause(
        "creation-with-upload.length",
        "CHOICE",
        _WITH_UPLOAD,
        "A body past the length gets 413, and there is no upload.",
    ),
    Clause(
        "creation-with-upload.verify",
        "SHOULD",
        _WITH_UPLOAD,
        "The client makes sure that it is on offer.",
        "client",
    ),
    Clause(
        "creation-with-upload.expect",
        "SHOULD",
        _WITH_UPLOAD,
        "It sends Expect: 100-continue; what is refused here is refused unread.",
        "client",
    ),
    Clause("expiration.removes", "MAY", _EXPIRATION, "Unfinished uploads are removed in the end."),
    Clause("expiration.advertised", "MUST", _EXPIRATION, "Then expiration is advertised."),
    Clause(
        "expiration.expires",
        "MUST",
        _EXPIRATION,
        "The answer to PATCH has Upload-Expires if the upload will expire.",
    ),
    Clause("expiration.expires-created", "MUST", _EXPIRATION, "So has that to POST."),
    Clause("expiration.changes", "MAY", _EXPIRATION, "The time may change; here it moves on."),
    Clause("expiration.gone", "SHOULD", _EXPIRATION, "A removed upload gets 404 or 410."),
    Clause(
        "expiration.gone-tracked",
        "SHOULD",
        _EXPIRATION,
        "410 is for servers that know of removed uploads; this one forgets, and has a setting.",
    ),
    Clause("expiration.restart", "SHOULD", _EXPIRATION, "The client starts anew.", "client"),
    Clause("expiration.format", "MUST", _EXPIRATION, "Upload-Expires is a date as HTTP has them."),
    Clause("checksum.advertised", "MUST", _CHECKSUM, "It is advertised as checksum."),
    Clause(
        "checksum.verified",
        "MUST",
        _CHECKSUM,
        "A body with Upload-Checksum is verified once it is there.",
    ),
    Clause("checksum.unknown", "MAY", _CHECKSUM, "An algorithm that is not on offer gets 400."),
    Clause("checksum.mismatch", "MAY", _CHECKSUM, "A body with another checksum gets 460."),
    Clause("checksum.match", "MAY", _CHECKSUM, "A body with this checksum gets 204."),
    Clause(
        "checksum.discarded",
        "MUST",
        _CHECKSUM,
        "What was refused is discarded, and the upload is as before.",
    ),
    Clause("checksum.sha1", "MUST", _CHECKSUM, "sha1 is on offer."),
    Clause("checksum.names", "MUST", _CHECKSUM, "Names are ASCII, none in upper case."),
    Clause("checksum.algorithms", "MUST", _CHECKSUM, "OPTIONS has Tus-Checksum-Algorithm."),
    Clause(
        "checksum.algorithm-list",
        "MUST",
        _CHECKSUM,
        "It lists the algorithms with commas in between.",
    ),
    Clause(
        "checksum.header",
        "MUST",
        _CHECKSUM,
        "Upload-Checksum is an algorithm, a space and Base64; another form gets 400.",
    ),
    Clause(
        "checksum.cut",
        "CHOICE",
        _CHECKSUM,
        "A body with a checksum that did not come whole is discarded.",
    ),
    Clause("checksum-trailer.used", "MAY", _CHECKSUM, "Upload-Checksum may come after the body."),
    Clause(
        "checksum-trailer.advertised",
        "MUST",
        _CHECKSUM,
        "A server that can read it there advertises checksum-trailer.",
    ),
    Clause("termination.advertised", "MUST", _TERMINATION, "It is advertised as termination."),
    Clause("termination.frees", "SHOULD", _TERMINATION, "What the upload took is freed."),
    Clause("termination.success", "MUST", _TERMINATION, "Success is 204."),
    Clause("termination.gone", "SHOULD", _TERMINATION, "From then on the URL gets 404 or 410."),
    Clause(
        "concatenation.advertised", "MUST", _CONCATENATION, "It is advertised as concatenation."
    ),
    Clause(
        "concatenation.partial-unprocessed",
        "SHOULD",
        _CONCATENATION,
        "A partial upload is not processed for its own sake.",
    ),
    Clause(
        "concatenation.final-length",
        "MUST",
        _CONCATENATION,
        "The final upload is as long as its parts together.",
    ),
    Clause(
        "concatenation.concat-value",
        "MUST",
        _CONCATENATION,
        'Upload-Concat is "partial", or "final;" and URLs; another value gets 400.',
    ),
    Clause(
        "concatenation.final-list",
        "MUST",
        _CONCATENATION,
        "The URLs of a final upload have one space between them.",
    ),
    Clause("concatenation.order", "MUST", _CONCATENATION, "The parts are joined in this order."),
    Clause(
        "concatenation.after-parts",
        "SHOULD",
        _CONCATENATION,
        "Concatenation is asked for once all parts are there.",
        "client",
    ),
    Clause(
        "concatenation.final-no-length",
        "MUST",
        _CONCATENATION,
        "A final upload is created without Upload-Length; with one the answer is 400.",
    ),
    Clause(
        "concatenation-unfinished.accepted",
        "MAY",
        _CONCATENATION,
        "Concatenation may be asked for while parts are still on their way.",
    ),
    Clause(
        "concatenation-unfinished.advertised",
        "MUST",
        _CONCATENATION,
        "Then concatenation-unfinished is advertised.",
    ),
    Clause(
        "concatenation.metadata", "MUST", _CONCATENATION, "Metadata of parts is not the final's."
    ),
    Clause(
        "concatenation.metadata-sent",
        "SHOULD",
        _CONCATENATION,
        "The final's own comes with the request for it.",
        "client",
    ),
    Clause(
        "concatenation.parts-removed",
        "MAY",
        _CONCATENATION,
        "Parts may be removed afterwards; here they stay until they expire.",
    ),
    Clause(
        "concatenation.parts-reused",
        "MAY",
        _CONCATENATION,
        "A part may be in the list twice, and in several lists.",
    ),
    Clause("concatenation.patch-final", "MUST", _CONCATENATION, "PATCH on a final gets 403."),
    Clause(
        "concatenation.patch-final-unmodified",
        "MUST",
        _CONCATENATION,
        "That changes neither the final nor its parts.",
    ),
    Clause(
        "concatenation.final-offset",
        "SHOULD",
        _CONCATENATION,
        "HEAD has no Upload-Offset for a final that is not done.",
    ),
    Clause(
        "concatenation.final-complete",
        "MUST",
        _CONCATENATION,
        "Once it is done, it has Upload-Offset and Upload-Length, and they are equal.",
    ),
    Clause(
        "concatenation.partial-offset", "MUST", _CONCATENATION, "HEAD has it for a partial upload."
    ),
    Clause(
        "concatenation.length-known",
        "MUST",
        _CONCATENATION,
        "HEAD has Upload-Length for a final as soon as it can be told.",
    ),
    Clause(
        "concatenation.head-concat",
        "MUST",
        _CONCATENATION,
        "HEAD has Upload-Concat as it was sent, for partial and final uploads.",
    ),
    Clause(
        "concatenation.urls",
        "MAY",
        _CONCATENATION,
        "URLs may be absolute or relative; those that lead elsewhere get 400.",
    ),
    Clause(
        "concatenation.only-partials",
        "CHOICE",
        _CONCATENATION,
        "What is not a partial upload of the same client cannot be joined: 400.",
    ),
    Clause(
        "concatenation.repeated",
        "CHOICE",
        _CONCATENATION,
        "The same request again finds the same final upload.",
    ),
    Clause(
        "concatenation.bodiless",
        "CHOICE",
        _CONCATENATION,
        "A final upload takes no bytes with its creation: 400.",
    ),
)
