"""Starts the usual emulator, ministack, on loopback and stops it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from .failure import Failure
from .place import DEPLOYED, HOME, RUNNING

PATIENCE_SECONDS = 60
# Where the emulator unpacks the functions: hundreds of megabytes.
TEMPORARY = HOME / "tmp"
LOG = HOME / "emulator.log"


def up():
    """Starts the emulator, unless it runs."""
    if alive():
        print(f"aws-local: runs already, {json.loads(RUNNING.read_text())['endpoint']}")
        return
    gateway, issuer, receiver = free_ports(3)
    DEPLOYED.unlink(missing_ok=True)
    process = start(gateway)
    endpoint = f"http://127.0.0.1:{gateway}"
    RUNNING.write_text(
        json.dumps(
            {
                "engine": "ministack",
                "pid": process.pid,
                "endpoint": endpoint,
                # The suite answers on these two: the stack is deployed before it starts, and must know them.
                "issuer": f"http://127.0.0.1:{issuer}",
                "receiver": f"127.0.0.1:{receiver}",
                "receiver_listens": f"127.0.0.1:{receiver}",
                # Where CloudFormation finds what is put into S3.
                "artifacts": endpoint,
            },
            indent=2,
        )
    )
    wait_until_ready(process, endpoint)
    print(f"aws-local: answers on {endpoint}, process {process.pid}, log {LOG.relative_to(HOME.parents[1])}")


def down():
    """Stops the emulator that `up` started, and the functions it runs: its process group, and no other."""
    if not alive():
        RUNNING.unlink(missing_ok=True)
        print("aws-local: does not run")
        return
    pid = json.loads(RUNNING.read_text())["pid"]
    os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while group_lives(pid):
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            deadline = time.monotonic() + PATIENCE_SECONDS
        time.sleep(0.1)
    RUNNING.unlink()
    DEPLOYED.unlink(missing_ok=True)
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    print(f"aws-local: stopped process {pid}")


def start(port):
    """The emulator's process, the first of a group of its own.

    It hands its environment on to the functions, so it is given little: what a function reads must come from the
    template and its overlay.
    """
    # What an emulator that was killed has left is of no use to the next.
    shutil.rmtree(TEMPORARY, ignore_errors=True)
    TEMPORARY.mkdir(parents=True)
    environment = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(TEMPORARY),
        "HOME": str(HOME),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        # Signatures and roles count, as in AWS.
        "AUTH": "true",
        "LOG_LEVEL": "INFO",
        # These listen on every address of the machine, and nothing here needs them.
        "IOT_MTLS_ENABLED": "false",
        "SFTP_ENABLED": "false",
        "SERVICES": "apigateway,cloudformation,cloudwatch,dynamodb,events,iam,lambda,logs,s3,secretsmanager,sns,sqs,sts",
    }
    with LOG.open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=HOME,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def wait_until_ready(process, endpoint):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(f"{endpoint}/_ministack/health"):
        if process.poll() is not None:
            RUNNING.unlink()
            raise Failure(f"the emulator ended with {process.returncode}; see {LOG}")
        if time.monotonic() > deadline:
            down()
            raise Failure(f"the emulator does not answer; see {LOG}")
        time.sleep(0.1)


def answers(url):
    # Without the proxies of the environment: they have no way to this machine's loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        return opener.open(url, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False


def alive():
    """Whether the process of the file is the emulator: a number alone may belong to another process by now."""
    if not RUNNING.exists():
        return False
    pid = json.loads(RUNNING.read_text())["pid"]
    command = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return "-m ministack" in command.stdout


def group_lives(pid):
    """Whether a process of the group is left. A zombie is not: whoever started it has yet to look."""
    states = subprocess.run(["ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    members = (line.split() for line in states.stdout.splitlines())
    return any(group == str(pid) and not state.startswith("Z") for group, state in members)


def free_ports(count):
    """Ports that were free when asked for, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [open_socket.getsockname()[1] for open_socket in sockets]
    for open_socket in sockets:
        open_socket.close()
    return ports
