"""The bytes of a document as text: UTF-8 throughout, whatever its sender took for it."""

import codecs


def utf8(data: bytes) -> bytes:
    """The bytes without a byte-order mark; what is no UTF-8 becomes U+FFFD."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.isascii():  # six times as fast as to decode
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="replace").encode()
    return data


def whole(text: str) -> str:
    """Without lone surrogates, which no text may hold."""
    return text.encode(errors="replace").decode()
