"""Dead letters, for the operator: by cause, each with its bytes, and sent again after a fix."""

from functools import partial
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from api import answers
from api.admin import letter_shown, letters
from api.admin.idempotency import Named, answer, once_of
from api.admin.letter_query import LetterQuery, LettersQuery, NewReplay
from api.admin.refusals import told as refused
from api.problems import not_found
from api.query import NoQuery
from api.reads.letter_port import Replay
from api.routes.common import ONCE, LetterAdmin
from api.schemas import letters as schemas_letters
from api.schemas import prices as schemas
from api.security.audit import by
from api.security.guard import Guarded
from api.state import state_of
from db.letters.named import with_ids

router: Final = APIRouter(
    prefix="/v1/admin/dead-letters", dependencies=[ONCE], tags=["administration"], route_class=Guarded
)
_Id = Annotated[
    str,
    Path(
        max_length=256,
        description="its id, the beginning of it, or topic id, partition and offset of its first message",
        examples=["3f9a1b2c"],
    ),
]
_LISTED: Final = {200: {"model": schemas_letters.DeadLetterCauses | schemas_letters.DeadLetters}}
_RAW: Final = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get("", response_model=None, responses={**_LISTED, **schemas.READ})
async def list_dead_letters(request: Request, caller: LetterAdmin, ask: Annotated[LettersQuery, Query()]) -> Response:
    """Causes with how many dead letters each has, or with `cause` its dead letters; the newest first. The operator's
    keys alone (tenant `public`)."""
    letters.require_operator(request, caller)
    held = answers.position(request, caller, ask)
    after = None if held is None else (int(held[0]), str(held[1]))
    with letters.told():
        found = await state_of(request).reads.of_letters(ask.since, partial(letters.page, ask=ask, after=after))
    rows = found[: ask.limit]
    going_on = list(rows[-1][0]) if len(found) > ask.limit else None
    answers.count_rows(request, len(rows))
    text = b",".join(msgspec.json.encode(row) for _, row in rows)
    return answers.around(request, caller, ask, answers.asked(ask), going_on).response(text)


@router.post(
    "/replay",
    response_model=None,
    responses={200: {"model": schemas_letters.DeadLettersReplayed}, **schemas.READ, **schemas.problems(409)},
)
async def replay_dead_letters(
    request: Request, caller: LetterAdmin, body: NewReplay, name: Named, _: Annotated[NoQuery, Query()]
) -> Response:
    """Sends dead letters again as they came, after a fix of the program, or with labels that their sender got wrong.
    Each lands once, however often it is sent; its prices are known from now on."""
    letters.require_operator(request, caller)
    wanted, once = Replay(body.choice(), body.since, body.limit, body.dry_run), once_of(request, caller, name, body)
    with letters.told(), refused():
        done = await state_of(request).reads.replay(wanted, by(request, caller), once)
    return answer(done)


@router.get(
    "/{letter:path}",
    response_model=None,
    responses={200: {"model": schemas_letters.DeadLetterShown, "content": _RAW}, **schemas.READ},
)
async def show_dead_letter(
    request: Request, caller: LetterAdmin, letter: _Id, ask: Annotated[LetterQuery, Query()]
) -> Response:
    """Why it was refused, where it came from, and the message that it keeps, byte by byte."""
    letters.require_operator(request, caller)
    reads = state_of(request).reads
    with letters.told("letter"):
        (dead,) = await reads.of_letters(ask.since, partial(with_ids, ids=[letter]))
    found = await reads.original(dead)
    if found is None:
        raise not_found(f"letter: the topic keeps {dead.id} no longer. /v1/admin/dead-letters lists what it keeps.")
    original, complete = found
    if ask.format == "raw":
        return letter_shown.raw(dead, original, complete=complete)
    text = msgspec.json.encode(letter_shown.described(dead, original, complete=complete))
    return Response(text, media_type="application/json")
