"""Builds the functions and packs each as cargo-lambda would: a zip with one program named `bootstrap`."""

import io
import os
import pathlib
import shutil
import subprocess
import zipfile

from .failure import Failure
from .place import HOME, ROOT


def build(profile, names, forwards):
    """The packages by the name of their binary. `forwards` are the addresses to open on the loopback of a function's container."""
    if forwards is not None:
        return build_for_containers(names, forwards)
    # The same packages and so the same features as the test suites build: nothing is compiled twice.
    command = ["cargo", "build", "--locked", "--workspace", "--bins", "--profile", profile]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failure("the functions do not build")
    folder = target() / ("debug" if profile == "dev" else profile)
    return {name: packed(folder / name) for name in names}


def build_for_containers(names, forwards):
    """As users deploy, but for this machine: a container has its own, older C library, for which cargo-lambda links."""
    command = ["cargo", "lambda", "build", "--locked", "--release", "--workspace", "--bins"]
    if subprocess.run(command, cwd=ROOT).returncode != 0:
        raise Failure("the functions do not build with cargo-lambda 1.9: pip install cargo-lambda")
    folder = target() / "lambda"
    forwarder = (folder / "muster-forward" / "bootstrap").read_bytes()
    lines = "".join(f"{here} {there}\n" for here, there in forwards).encode()
    entries = lambda name: {"bootstrap": forwarder, "function": (folder / name / "bootstrap").read_bytes(), "forwards": lines}
    return {name: zipped(entries(name), zipfile.ZIP_DEFLATED) for name in names}


def target():
    return pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def packed(binary):
    bootstrap = HOME / "lambda" / binary.name / "bootstrap"
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    without_symbols(binary, bootstrap)
    # Not compressed: it goes nowhere but to another process of this machine.
    return zipped({"bootstrap": bootstrap.read_bytes()}, zipfile.ZIP_STORED)


def zipped(files, compression):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", compression) as archive:
        for name, content in files.items():
            # A fixed time, so that the same program gives the same package.
            entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, content, compression)
    return package.getvalue()


def without_symbols(binary, bootstrap):
    """The emulator keeps packages in memory: a debug build is carried without what only a debugger reads."""
    if shutil.which("strip") and subprocess.run(["strip", "-S", "-o", bootstrap, binary]).returncode == 0:
        return
    shutil.copyfile(binary, bootstrap)
