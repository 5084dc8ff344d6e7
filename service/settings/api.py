"""The settings of the API."""

import re
from pathlib import Path
from typing import Final

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from service.apikey import Peppers
from service.settings.group import Group, Port

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?")


class Api(Group):
    host: str = Field("127.0.0.1", description="address that the API listens on")
    port: Port = Field(8080, description="port that the API listens on")
    tls_certificate: Path | None = Field(
        None, description="PEM file of the certificate and its chain; with tls_key the API speaks HTTPS alone"
    )
    tls_key: Path | None = Field(None, description="PEM file of the certificate's private key", validate_default=True)
    cors_origins: str = Field(
        "", description="pages that may call the API from a browser, comma-separated, e.g. https://desk.example.com"
    )
    key_pepper: SecretStr = Field(
        SecretStr(""),
        description="secret that API keys are HMACed with (made by `gridtick up` for the embedded stack)",
    )
    key_pepper_before: SecretStr = Field(
        SecretStr(""), description="the pepper that key_pepper replaces, while keys hang on it (docs/access.md)"
    )
    cursor_secret: SecretStr = Field(SecretStr(""), description="secret that page cursors are signed with")
    audit_secret: SecretStr = Field(
        SecretStr(""),
        description="secret that the audit record is chained with (made by `gridtick up` for the embedded stack)",
    )
    key_requests_per_minute: int = Field(6_000, ge=1, description="most requests a minute of one key, by API process")
    tenant_requests_per_minute: int = Field(
        30_000, ge=1, description="the same of all keys of a tenant, where it has no limit of its own"
    )
    tenant_rows_per_day: int = Field(
        1_000_000_000, ge=1, description="most rows a day (UTC) of a tenant that has no limit of its own"
    )
    streams: int = Field(2, ge=1, le=64, description="most long answers that a process sends side by side")

    stream_connections: int = Field(
        2_000, ge=1, le=100_000, description="most connections of the live stream, by API process"
    )
    stream_connections_of_key: int = Field(50, ge=1, le=100_000, description="the same of one key")
    demo_instruments: str = Field(
        "",
        description="public instruments whose live prices anybody may have without a key, comma-separated; empty: none",
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, text: str) -> str:
        for origin in filter(None, text.split(",")):
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin} is no origin: write https://name or https://name:port, without a path")
        return text

    @field_validator("tls_key")
    @classmethod
    def _goes_with_certificate(cls, key: Path | None, others: ValidationInfo) -> Path | None:
        if (others.data.get("tls_certificate") is None) != (key is None):
            raise ValueError("the certificate and its key are given together or not at all")
        return key

    @property
    def origins(self) -> list[str]:
        """Pages that may call from a browser."""
        return [each for each in self.cors_origins.split(",") if each]

    @property
    def demo(self) -> list[str]:
        """Instruments that anybody may have."""
        return [each.strip() for each in self.demo_instruments.split(",") if each.strip()]

    @property
    def peppers(self) -> Peppers:
        """What keys are HMACed with."""
        return Peppers(self.key_pepper.get_secret_value(), self.key_pepper_before.get_secret_value())
