"""Runs the integration suite against the deployed stack."""

import os
import re
import subprocess

from .failure import Failure
from .place import DEPLOYED, ROOT


# The tests wait far more than they work.
THREADS = ["--test-threads", "16"]


def test(given):
    """The tests that need the stack: those marked as ignored, which an ordinary run of cargo passes over."""
    if not DEPLOYED.exists():
        raise Failure("nothing is deployed: scripts/aws-local deploy")
    command = ["cargo", "test", "--locked", "--workspace", "--test", "muster", "--", "--ignored", *THREADS, f"aws::{given}"]
    environment = {**os.environ, "MUSTER_AWS_DEPLOYED": str(DEPLOYED)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    passed = 0
    for line in process.stdout:
        print(line, end="", flush=True)
        if counted := re.match(r"test result: .* (\d+) passed", line):
            passed += int(counted[1])
    if process.wait() != 0:
        raise Failure("the suite failed")
    if passed == 0:
        raise Failure("no test ran")
