"""The key: where it comes from, and how it stays out of what people see."""

import os
from pathlib import Path
from typing import Final

from gridtick.client.errors import GridtickError

KEY: Final = "GRIDTICK_API_KEY"
KEY_FILE: Final = "GRIDTICK_API_KEY_FILE"
_PUBLIC: Final = 20  # characters that name a key and open nothing


class Secret:
    """A key that shows its public part alone, wherever it is printed."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return f"'{self.mask}'"

    @property
    def mask(self) -> str:
        """What may be shown of it."""
        is_ours = self._text.startswith("gt_live_") and len(self._text) > 2 * _PUBLIC
        return f"{self._text[:_PUBLIC]}…" if is_ours else "…"

    def reveal(self) -> str:
        return self._text

    def without(self, text: bytes) -> bytes:
        """A text that may repeat what was sent, without the key."""
        return text.replace(self._text.encode(), self.mask.encode())


def found(key: str | None, key_file: str | os.PathLike[str] | None) -> Secret:
    """The argument, else its file, else the environment. Raises `GridtickError` where none is there or none can be."""
    if key and key_file:
        raise GridtickError("A key and a file with a key are given: leave one of the two away.")
    text = key or (_of_file(key_file, "key_file") if key_file else of_environment())
    if not text:
        raise GridtickError(f"No API key: give one, or set {KEY} or {KEY_FILE}.")
    return Secret(_sendable(text))


def of_environment() -> str | None:
    """The key that the environment names, or the file that it names has. None without either."""
    if key := os.environ.get(KEY):
        return key
    file = os.environ.get(KEY_FILE)
    return _of_file(file, KEY_FILE) if file else None


def _of_file(path: str | os.PathLike[str], named_by: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise GridtickError(f"The key file {path} ({named_by}) cannot be read: {error.strerror}.") from None
    except ValueError:  # no text; and the sentence of such an error shows what was read
        raise GridtickError(
            f"The key file {path} ({named_by}) is no text file. It holds the key and nothing else."
        ) from None
    if not text:
        raise GridtickError(f"The key file {path} ({named_by}) is empty. It holds the key and nothing else.")
    return text


def _sendable(key: str) -> str:
    """The key, which a header must be able to hold."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise GridtickError(
            f"The API key ({KEY}) holds a space, a line break or a character that no key has. Copy it again."
        )
    return key
