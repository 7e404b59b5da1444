"""The rules of tus 1.0.0, without I/O: values in, values or a ``ProtocolError`` out."""

from .upload import Kind, Upload, UploadId

__all__ = ["Kind", "Upload", "UploadId"]
