"""Text and bytes of others, as they may be shown: no byte of theirs can steer a terminal."""

_KEPT = frozenset("\n\t")


def plain(text: str) -> str:
    """The text with an escape for every character that is not printable."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def lines(content: bytes) -> str:
    """Bytes as text of several lines; what is no UTF-8, or not printable, as escapes."""
    text = content.decode(errors="backslashreplace").replace("\r\n", "\n")
    return "".join(each if each in _KEPT or each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", errors="backslashreplace").decode()
