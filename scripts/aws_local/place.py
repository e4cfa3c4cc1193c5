"""Where things are, and what `up` tells the other verbs."""

import json
import pathlib

from .failure import Failure

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOME = ROOT / "target" / "aws-local"
# Written by `up`: the emulator's process, and the ports that were free.
RUNNING = HOME / "running.json"
# Written by `deploy`: what the suite needs to find the stack.
DEPLOYED = HOME / "deployed.json"


def running():
    if not RUNNING.exists():
        raise Failure("the emulator does not run: scripts/aws-local up")
    return json.loads(RUNNING.read_text())


def client(service):
    """A client of one of the emulator's services."""
    import botocore.config
    import botocore.session

    return botocore.session.get_session().create_client(
        service,
        region_name="us-east-1",
        endpoint_url=running()["endpoint"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
        # A proxy of the environment has no way to this machine's loopback.
        config=botocore.config.Config(proxies={}, s3={"addressing_style": "path"}),
    )
