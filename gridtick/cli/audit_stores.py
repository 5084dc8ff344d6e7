"""What `gridtick audit` asks of PostgreSQL."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from db.postgres import audit_reads
from db.postgres.audit_chain import Record
from db.postgres.audit_reads import Filters, Verdict, read_anchor
from gridtick.cli.postgres import with_engine
from service.settings import Settings

_PAGE: Final = 10_000


def records(settings: Settings, tenant: str | None, since: datetime | None) -> Iterator[Record]:
    """The records of a tenant, or all, page by page."""
    filters, after = Filters(None if tenant is None else [tenant], since=since), 0
    while page := with_engine(settings, partial(audit_reads.records, filters=filters, after=after, limit=_PAGE)):
        yield from page
        after = page[-1].seq


def verify(settings: Settings, anchor: str | None) -> Verdict:
    """Whether the chain is whole; `anchor` is checked before anything is read."""
    given = None if anchor is None else read_anchor(anchor)
    secret = settings.api.audit_secret.get_secret_value()
    return with_engine(settings, lambda engine: audit_reads.verify(engine, secret, given))
