"""`python -m local.bench.api_bare PORT PATH FILE`: what the API is compared with.

A bare FastAPI application with one async route at PATH that answers the bytes of FILE, served as the API is.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

from api.service import http


def made(path: str, body: bytes) -> FastAPI:
    """The application."""
    app = FastAPI()

    async def answer() -> Response:
        return Response(body, media_type="application/json")

    app.add_api_route(path, answer, response_model=None)
    return app


def main(port: str, path: str, file: str) -> None:
    app = made(path, Path(file).read_bytes())
    asyncio.run(uvicorn.Server(http(app, "127.0.0.1", int(port))).serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
