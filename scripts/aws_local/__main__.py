"""The verbs of scripts/aws-local."""

import argparse
import signal
import sys

from . import emulator, stack, suite
from .failure import Failure


def run(arguments):
    """Brings everything up, tests it, and leaves nothing behind, also when it is asked to end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("aws-local: asked to end"))
    emulator.up()
    try:
        stack.deploy(arguments.profile)
        suite.test(arguments.filter)
    finally:
        emulator.down()


def parsed():
    parser = argparse.ArgumentParser(prog="scripts/aws-local", description="A local AWS on loopback.")
    verbs = parser.add_subparsers(required=True, metavar="up|deploy|test|down|run")
    profile = argparse.ArgumentParser(add_help=False)
    profile.add_argument(
        "--release", dest="profile", action="store_const", const="release", default="dev", help="build as users deploy"
    )
    tests = argparse.ArgumentParser(add_help=False)
    tests.add_argument("filter", nargs="?", default="", help="only tests whose names contain this")

    def verb(name, action, help, *parents):
        verbs.add_parser(name, help=help, parents=parents).set_defaults(action=action)

    verb("up", lambda _: emulator.up(), "start the emulator")
    verb("deploy", lambda given: stack.deploy(given.profile), "build the functions and deploy the template", profile)
    verb("test", lambda given: suite.test(given.filter), "run the integration suite against the stack", tests)
    verb("down", lambda _: emulator.down(), "stop the emulator")
    verb("run", run, "up, deploy, test and down", profile, tests)
    return parser.parse_args()


try:
    given = parsed()
    given.action(given)
except Failure as failure:
    sys.exit(f"aws-local: {failure}")
