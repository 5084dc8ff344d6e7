"""`python -m local.bench.api_bare PORT PATH FILE STATUS`: what the API is compared with.

A bare FastAPI application with one async route at PATH that answers the bytes of FILE, served as the API is.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response

from api.service import http
from service.settings import load


def made(path: str, body: bytes, status: int) -> FastAPI:
    """The application."""
    app = FastAPI()

    async def answer() -> Response:
        return Response(body, status, media_type="application/json")

    app.add_api_route(path, answer, response_model=None)
    return app


def main(port: str, path: str, file: str, status: str) -> None:
    app = made(path, Path(file).read_bytes(), int(status))
    asyncio.run(uvicorn.Server(http(app, load({"DATA_PROC_API_PORT": port}).api)).serve())


if __name__ == "__main__":
    main(*sys.argv[1:])
