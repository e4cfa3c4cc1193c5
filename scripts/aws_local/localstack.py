"""Starts LocalStack in Docker and stops it: the other emulator, for those who have an account there.

Its functions run in containers of their own, which Docker's bridge joins with this machine. What a function finds on its loopback
(AWS, and the suite's receiver, which the worker may call nowhere else) a forwarder beside it brings to the bridge.
"""

import json
import os
import shutil
import subprocess
import time

from .emulator import answers, free_ports
from .failure import Failure
from .place import DEPLOYED, HOME, RUNNING

IMAGE = "localstack/localstack:2026.05.0"
CONTAINER = "muster-aws-local"
TOKEN = "LOCALSTACK_AUTH_TOKEN"
SERVICES = "apigatewayv2,cloudformation,cloudwatch,dynamodb,events,iam,lambda,logs,s3,secretsmanager,sns,sqs,sts"
# Its own address from within its container.
INSIDE = "http://s3.localhost.localstack.cloud:4566"
# The image may have to be fetched first, which is not counted here.
PATIENCE_SECONDS = 180


def up():
    """Starts LocalStack, unless it runs."""
    check()
    if RUNNING.exists() and alive():
        print(f"aws-local: LocalStack runs already, {json.loads(RUNNING.read_text())['endpoint']}")
        return
    bridge = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    gateway, issuer, receiver = free_ports(3)
    DEPLOYED.unlink(missing_ok=True)
    HOME.mkdir(parents=True, exist_ok=True)
    docker(*start(bridge, gateway))
    # What is built and tested from here on need not see it.
    os.environ.pop(TOKEN)
    endpoint = f"http://127.0.0.1:{gateway}"
    running = {
        "engine": "localstack",
        "endpoint": endpoint,
        # The suite answers on the bridge, where containers find it.
        "issuer": f"http://{bridge}:{issuer}",
        "receiver": f"127.0.0.1:{receiver}",
        "receiver_listens": f"{bridge}:{receiver}",
        "forwards": [[f"127.0.0.1:{port}", f"{bridge}:{port}"] for port in (gateway, receiver)],
        "artifacts": INSIDE,
    }
    RUNNING.write_text(json.dumps(running, indent=2))
    wait_until_ready(endpoint)
    print(f"aws-local: LocalStack answers on {endpoint}, container {CONTAINER}")


def down():
    """Removes the container that `up` started; LocalStack removes those of its functions as it ends."""
    if not alive():
        RUNNING.unlink(missing_ok=True)
        print("aws-local: LocalStack does not run")
        return
    docker("stop", "--time", "30", CONTAINER)
    RUNNING.unlink(missing_ok=True)
    DEPLOYED.unlink(missing_ok=True)
    print(f"aws-local: stopped container {CONTAINER}")


def check():
    """Says what is missing before anything is started."""
    if shutil.which("docker") is None:
        raise Failure(
            "LocalStack runs in Docker, and there is no command `docker`. Install Docker, or leave `--engine localstack` out: "
            "the other emulator needs neither Docker nor an account"
        )
    if (asked := subprocess.run(["docker", "version"], capture_output=True, text=True)).returncode != 0:
        reason = asked.stderr.strip().splitlines()[-1:] or ["it says nothing"]
        raise Failure(
            f"LocalStack runs in Docker, which does not answer: {reason[0]} Start Docker, or leave `--engine localstack` out: "
            "the other emulator needs neither Docker nor an account"
        )
    if not os.environ.get(TOKEN):
        raise Failure(
            f"LocalStack starts for accounts alone, and {TOKEN} is not set. Set it to a token of your account, from "
            "https://app.localstack.cloud, whose plan includes HTTP APIs; or leave `--engine localstack` out: the other emulator "
            "needs no account"
        )


def start(bridge, port):
    """The arguments that start the container. The token is named and not given: arguments are for everybody to see."""
    return [
        *("run", "--detach", "--rm", "--name", CONTAINER),
        *("--publish", f"127.0.0.1:{port}:4566", "--publish", f"{bridge}:{port}:4566"),
        # It starts the functions' containers.
        *("--volume", "/var/run/docker.sock:/var/run/docker.sock"),
        *("--env", TOKEN, "--env", f"SERVICES={SERVICES}", "--env", "LAMBDA_REMOVE_CONTAINERS=1"),
        IMAGE,
    ]


def wait_until_ready(endpoint):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not answers(f"{endpoint}/_localstack/health"):
        if not alive():
            RUNNING.unlink()
            raise Failure(f"LocalStack ended as it started. Does the token belong to an account? docker run --env {TOKEN} {IMAGE}")
        if time.monotonic() > deadline:
            down()
            raise Failure("LocalStack does not answer")
        time.sleep(0.5)


def alive():
    asked = ["docker", "container", "inspect", "--format", "{{.State.Running}}", CONTAINER]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() == "true"


def docker(*arguments):
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"docker {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()
