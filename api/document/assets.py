"""Scripts, styles and their licences, files of the package that `scripts/npm.py` fetched or we wrote.

An address holds a digest, so a browser keeps what it has until the file is another one.
"""

from collections.abc import Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

SITE: Final = Path(__file__).parent.parent / "site"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_KEPT: Final = "public, max-age=31536000, immutable"


class Assets:
    """The files of one folder; they do not change while the process runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def digests(self) -> Mapping[str, str]:
        """Name -> digest of every file."""
        files = sorted(path for path in self.folder.iterdir() if path.suffix in TYPES)
        return {path.name: sha256(path.read_bytes()).hexdigest()[:16] for path in files}

    @cached_property
    def version(self) -> str:
        """The digest of all of them: modules name each other without one, so it stands in front of their names."""
        return sha256(repr(sorted(self.digests.items())).encode()).hexdigest()[:16]

    def answer(self, name: str, held: str) -> Response:
        """The file of that name, which must be one of `digests`; 304 where `held`, the `If-None-Match`, has it."""
        tag = f'"{self.digests[name]}"'
        headers = {"ETag": tag, "Cache-Control": _KEPT}
        if tag in held:
            return Response(status_code=304, headers=headers)
        path = self.folder / name
        return FileResponse(path, headers=headers, media_type=TYPES[path.suffix])


ASSETS: Final = Assets(SITE / "assets")
LIVE: Final = Assets(SITE / "live")


def address(name: str) -> str:
    """Where a file of the pages of documentation is served."""
    return f"/docs/assets/{name}?v={ASSETS.digests[name]}"
