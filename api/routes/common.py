"""The dependencies that routes share."""

from typing import Annotated, TypeAlias

from fastapi import Depends, Security

from api.query import once
from api.security.guard import guard
from api.security.principal import Principal
from api.security.scopes import AUDIT, BARS, CURVES, DEAD_LETTERS, KEYS, PRICES, STREAM, TENANTS

PriceReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[PRICES])]
BarReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[BARS])]
CurveReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[CURVES])]
StreamReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[STREAM])]
# Who may say what an instrument is decides what its tenant is shown: there is no narrower scope.
ReferenceAdmin: TypeAlias = Annotated[Principal, Security(guard, scopes=[TENANTS])]
TenantAdmin: TypeAlias = Annotated[Principal, Security(guard, scopes=[TENANTS])]
KeyAdmin: TypeAlias = Annotated[Principal, Security(guard, scopes=[KEYS])]
AuditReader: TypeAlias = Annotated[Principal, Security(guard, scopes=[AUDIT])]
LetterAdmin: TypeAlias = Annotated[Principal, Security(guard, scopes=[DEAD_LETTERS])]
Caller: TypeAlias = Annotated[Principal, Security(guard)]

ONCE = Depends(once)
