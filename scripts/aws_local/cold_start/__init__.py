"""Measures how the functions start and answer, each as a process of its real binary, and prints a table."""

import json
import os
import pathlib
import subprocess
import tempfile
import time

from .. import binaries
from ..failure import Failure
from ..place import HOME, ROOT, running
from . import table, tls
from .function import Took, run

# What each is invoked with: an event that makes it ask the table, and that changes nothing when it comes again.
EVENTS = {
    "muster-api": "apigw/get-execution.json",
    "muster-approval": "apigw/approve-runbook.json",
    "muster-worker": "sqs/one-job.json",
    "muster-matcher": "eventbridge/incident-created.json",
    "muster-sweeper": "eventbridge/each-minute.json",
    "muster-dead-letter": "sqs/dead-letter.json",
}


def measure(folder, runs, only):
    """Starts each binary of the folder `runs` times, in turns: what disturbs the machine disturbs all of them alike."""
    names = [name for name in EVENTS if only in name]
    folder = pathlib.Path(folder) if folder else binaries.target() / "release"
    bare = do_nothing()
    starts, samples = [], {name: [] for name in names}
    with tls.in_front_of(running()["endpoint"]) as secured:
        variables = {name: {**deployed(name), **secured} for name in names}
        for _ in range(runs):
            starts.append(run_bare(bare))
            for name in names:
                samples[name].append(run(folder / name, variables[name], event(name)))
    print(table.of(starts, {name: (folder / name, samples[name]) for name in names}))


def deployed(name):
    """The variables that the deployed template gives the function."""
    path = HOME / f"{name}.env"
    if not path.exists():
        raise Failure("nothing is deployed: scripts/aws-local deploy --release")
    variables = dict(line.split("=", 1) for line in path.read_text().splitlines())
    # Of the overlay alone: in AWS no function has it.
    variables.pop("MUSTER_LOOPBACK_EGRESS", None)
    # The default of the template; the local stack is asked for more.
    return {**variables, "MUSTER_LOG": "info"}


def event(name):
    return json.dumps(json.loads((ROOT / "events" / EVENTS[name]).read_text())).encode()


def do_nothing():
    """A program that ends at once, linked without libraries: what it takes to run it no function can save."""
    program = HOME / "do-nothing"
    with tempfile.TemporaryDirectory(dir=HOME) as folder:
        source = pathlib.Path(folder) / "do_nothing.rs"
        source.write_text("fn main() {}\n")
        command = ["rustc", "-O", "-C", "target-feature=+crt-static", "-o", program, source]
        if subprocess.run(command, cwd=ROOT).returncode != 0:
            raise Failure("the program to compare with does not build")
    return program


def run_bare(program):
    start = time.perf_counter()
    null = subprocess.DEVNULL
    process = subprocess.Popen([program], env={}, stdin=null, stdout=null, stderr=null)
    _, _, used = os.wait4(process.pid, 0)
    process.returncode = 0
    return Took(time.perf_counter() - start, used.ru_utime + used.ru_stime)
