"""The page `/`: live prices, bars and curves. It is text of the package; its scripts ask the same routes as anybody."""

from functools import cache
from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.responses import HTMLResponse, Response

from api.document import assets
from api.document.assets import LIVE
from api.problems import not_found

# Own files alone, no style in a page, and no text becomes markup or script by whatever way: the browser sees to it.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
router: Final = APIRouter(include_in_schema=False)


@router.get("/", response_model=None)
def show_live() -> Response:
    """Prices, candles and curves as they come."""
    return HTMLResponse(_page(), headers={"Content-Security-Policy": POLICY})


@router.get("/live/{version}/{name}", response_model=None)
def show_live_file(version: str, name: str, if_none_match: Annotated[str, Header()] = "") -> Response:
    """A script or style of this page; one of another version would not fit the rest."""
    if version != LIVE.version or name not in LIVE.digests:
        raise not_found(f"There is no file {name[:80]!r} for this page. Load / again.")
    return LIVE.answer(name, if_none_match)


@cache
def _page() -> str:
    text = (LIVE.folder / "index.html").read_text()
    return text.replace("{files}", f"/live/{LIVE.version}").replace("{icon}", assets.address("gridtick.png"))
