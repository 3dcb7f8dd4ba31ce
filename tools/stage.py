#!/usr/bin/env python3
"""Lays out a deployable folder: the templates, one deterministic zip a function, checksums.

The same binaries give the same bytes on every run (fixed times, modes and order), so that
`aws cloudformation package` keeps a zip's S3 key and an unchanged function is not updated.

    stage.py [--quick] [--most-megabytes N] BINARIES OUT

A staged template's `digest-of-NAME` becomes the start of the digest of function NAME's binary: a custom resource that must
be asked again when its function changes, because that carries what it makes, names it in its Nonce.

BINARIES holds NAME/bootstrap, as cargo-lambda leaves them. --quick packs in a quarter of the time and less tightly;
--most-megabytes says which zips are larger: they start slower, and can be deployed all the same.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Zip's own epoch: the earliest time that the format can hold.
EPOCH = (1980, 1, 1, 0, 0, 0)
EXECUTABLE = 0o100755 << 16


def function_names() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "functions").glob("*/Cargo.toml"))


def write_zip(binary: Path, target: Path, level: int) -> None:
    entry = zipfile.ZipInfo("bootstrap", EPOCH)
    entry.external_attr = EXECUTABLE
    entry.compress_type = zipfile.ZIP_DEFLATED
    # Unix, whatever machine packs: the mode above means nothing otherwise.
    entry.create_system = 3
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(entry, binary.read_bytes(), compresslevel=level)


def with_digests(text: str, binaries: Path) -> str:
    def digest(found: re.Match[str]) -> str:
        return hashlib.sha256((binaries / found[1] / "bootstrap").read_bytes()).hexdigest()[:16]

    return re.sub(r"digest-of-([a-z]+(?:-[a-z]+)*)", digest, text)


def stage(binaries: Path, out: Path, level: int) -> list[str]:
    """Replaces OUT; returns the checksum lines, as `sha256sum --check` reads them."""
    missing = [name for name in function_names() if not (binaries / name / "bootstrap").is_file()]
    if missing:
        raise SystemExit(
            f"stage: no binary of {', '.join(missing)} in {binaries}: build the functions first (make package)"
        )
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "cloudformation", out)
    (out / "functions").mkdir()
    for name in function_names():
        write_zip(binaries / name / "bootstrap", out / "functions" / f"{name}.zip", level)
    for template in (out / "modules").glob("*.yaml"):
        template.write_text(with_digests(template.read_text(encoding="utf-8"), binaries), encoding="utf-8")
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out)}" for path in files]


def too_large(out: Path, most: float | None) -> list[str]:
    sizes = {path: path.stat().st_size / 1e6 for path in (out / "functions").glob("*.zip")}
    return [
        f"{path} has {size:.2f} MB, more than {most:g}: see what made it grow (cargo bloat, cargo tree --edges features)"
        for path, size in sorted(sizes.items())
        if most is not None and size > most
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Lays out a deployable folder: templates, function zips, checksums.")
    parser.add_argument("--quick", action="store_true", help="pack less tightly")
    parser.add_argument("--most-megabytes", type=float, metavar="N", help="name the zips that are larger")
    parser.add_argument("binaries", type=Path)
    parser.add_argument("out", type=Path)
    chosen = parser.parse_args()
    checksums = stage(chosen.binaries, chosen.out, 1 if chosen.quick else 9)
    (chosen.out / "SHA256SUMS").write_text("\n".join(checksums) + "\n")
    for path in sorted((chosen.out / "functions").glob("*.zip")):
        print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
    for problem in too_large(chosen.out, chosen.most_megabytes):
        print(f"stage: {problem}", file=sys.stderr)


if __name__ == "__main__":
    main()
