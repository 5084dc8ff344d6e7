"""`/docs/assets/`: scripts, styles and their licences, files of the package that `scripts/npm.py` fetched or we wrote.

An address holds the file's digest, so a browser keeps what it has until the file is another one.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

FOLDER: Final = Path(__file__).parent.parent / "site" / "assets"
TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".txt": "text/plain; charset=utf-8",
}
_KEPT: Final = "public, max-age=31536000, immutable"


@cache
def digests() -> Mapping[str, str]:
    """Name -> digest of every file; they do not change while the process runs."""
    files = (path for path in FOLDER.iterdir() if path.suffix in TYPES)
    return {path.name: sha256(path.read_bytes()).hexdigest()[:16] for path in files}


def address(name: str) -> str:
    """Where a file is served."""
    return f"/docs/assets/{name}?v={digests()[name]}"


def answer(name: str, held: str) -> Response:
    """The file of that name, which must be one of `digests`; 304 where `held`, the `If-None-Match`, has it."""
    tag = f'"{digests()[name]}"'
    headers = {"ETag": tag, "Cache-Control": _KEPT}
    if tag in held:
        return Response(status_code=304, headers=headers)
    path = FOLDER / name
    return FileResponse(path, headers=headers, media_type=TYPES[path.suffix])
