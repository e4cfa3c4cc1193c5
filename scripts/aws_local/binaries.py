"""Builds the functions and packs each as cargo-lambda would: a zip with one program named `bootstrap`."""

import io
import os
import pathlib
import shutil
import subprocess
import zipfile

from .failure import Failure
from .place import HOME, ROOT


def build(profile, names):
    """The packages by the name of their binary."""
    # The same packages and so the same features as the test suites build: nothing is compiled twice.
    command = ["cargo", "build", "--locked", "--workspace", "--bins", "--profile", profile]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failure("the functions do not build")
    folder = target() / ("debug" if profile == "dev" else profile)
    return {name: packed(folder / name) for name in names}


def target():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def packed(binary):
    bootstrap = HOME / "lambda" / binary.name / "bootstrap"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    without_symbols(binary, bootstrap)
    package = io.BytesIO()
    # A fixed time, so that the same program gives the same package.
    entry = zipfile.ZipInfo("bootstrap", (2020, 1, 1, 0, 0, 0))
    entry.external_attr = 0o755 << 16
    # Not compressed: it goes nowhere but to another process of this machine.
    with zipfile.ZipFile(package, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(entry, bootstrap.read_bytes())
    return package.getvalue()


def without_symbols(binary, bootstrap):
    """The emulator keeps packages in memory: a debug build is carried without what only a debugger reads."""
    if shutil.which("strip") and subprocess.run(["strip", "-S", "-o", bootstrap, binary]).returncode == 0:
        return
    shutil.copyfile(binary, bootstrap)
