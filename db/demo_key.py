"""`python -m db.demo_key`: makes the demo tenant and its key where they are missing, and prints the key."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from db.postgres.access import StoredKey, create_key, ensure_tenant
from db.postgres.engine import make_engine
from pipeline.errors import DataProcessingError
from service import apikey
from service.settings import Settings, load

TENANT: Final = "public"
ROLE: Final = "analyst"


def demo_key_path(settings: Settings) -> Path:
    """Where the embedded stack keeps its demo key, readable by its owner only."""
    return settings.core.data_dir / "secrets" / "demo_key"


async def ensure_demo_key(settings: Settings) -> str:
    """The demo key, stored and usable. The file leads: a database that was reset gets the same key."""
    key = _kept_key(demo_key_path(settings))
    engine = make_engine(settings.postgres.dsn.get_secret_value(), pooled=False)
    try:
        await _store(engine, key, _pepper(settings))
    finally:
        await engine.dispose()
    return key.text()


def _pepper(settings: Settings) -> str:
    pepper = settings.api.key_pepper.get_secret_value()
    if not pepper:
        raise DataProcessingError("DATA_PROC_API_KEY_PEPPER is empty. Set it to a long random text.", "settings")
    return pepper


async def _store(engine: AsyncEngine, key: apikey.ApiKey, pepper: str) -> None:
    await ensure_tenant(engine, TENANT, "what everyone may read")
    fingerprint = apikey.fingerprint(pepper)
    stored = StoredKey(key.id, TENANT, "demo", ROLE, None, key.digest(pepper), None, None, pepper=fingerprint)
    await create_key(engine, stored)


def _kept_key(path: Path) -> apikey.ApiKey:
    if path.exists() and (key := apikey.parse(path.read_text().strip())) is not None:
        return key
    key = apikey.make()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(key.text() + "\n")
    return key


def main() -> int:
    try:
        key = asyncio.run(ensure_demo_key(load()))
    except DataProcessingError as error:
        print(str(error), file=sys.stderr)  # noqa: T201 - the answer of a command
        return 1
    print(key)  # noqa: T201 - the answer of a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
