"""Which emulator carries the stack."""

import json

from . import emulator, localstack
from .failure import Failure
from .place import RUNNING

ENGINES = {"ministack": emulator, "localstack": localstack}
USUAL = "ministack"


def up(asked):
    """Starts the engine that is asked for."""
    ENGINES[chosen(asked)].up()


def down(asked):
    """Stops the engine that runs."""
    ENGINES[chosen(asked)].down()


def chosen(asked):
    """The engine that is asked for, else the one that runs, else the usual one. Two at once would share one stack's files."""
    runs = json.loads(RUNNING.read_text()).get("engine", USUAL) if RUNNING.exists() else None
    if asked and runs and asked != runs:
        raise Failure(f"{runs} runs: scripts/aws-local down, then start {asked}")
    return asked or runs or USUAL
