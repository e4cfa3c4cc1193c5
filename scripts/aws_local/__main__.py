"""The verbs of scripts/aws-local."""

import argparse
import signal
import sys

from . import engine
from .failure import Failure


def deploy(given):
    # Its packages come with the virtual environment; what starts and stops an engine needs none.
    from . import stack

    stack.deploy(given.profile)


def test(given):
    from . import suite

    suite.test(given.filter)


def cold_start(given):
    from . import cold_start

    cold_start.measure(given.binaries, given.runs, given.only)


def run(given):
    """Brings everything up, tests it, and leaves nothing behind, also when it is asked to end."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit("aws-local: asked to end"))
    engine.up(given.engine)
    try:
        deploy(given)
        test(given)
    finally:
        engine.down(given.engine)


def parsed():
    parser = argparse.ArgumentParser(prog="scripts/aws-local", description="A local AWS on loopback.")
    parser.add_argument("--engine", choices=engine.ENGINES, help=f"the emulator; {engine.USUAL} unless another runs")
    verbs = parser.add_subparsers(required=True, metavar="up|deploy|test|cold-start|down|run")
    profile = argparse.ArgumentParser(add_help=False)
    profile.add_argument(
        "--release", dest="profile", action="store_const", const="release", default="dev", help="build as users deploy"
    )
    starts = argparse.ArgumentParser(add_help=False)
    starts.add_argument("--runs", type=int, default=21, help="how often each function is started")
    starts.add_argument("--binaries", default="", help="the folder of the binaries; target/release if not given")
    starts.add_argument("--only", default="", help="only functions whose names contain this")
    tests = argparse.ArgumentParser(add_help=False)
    tests.add_argument("filter", nargs="?", default="", help="only tests whose names contain this")

    def verb(name, action, help, *parents):
        verbs.add_parser(name, help=help, parents=parents).set_defaults(action=action)

    verb("up", lambda given: engine.up(given.engine), "start the emulator")
    verb("deploy", deploy, "build the functions and deploy the template", profile)
    verb("test", test, "run the integration suite against the stack", tests)
    verb("cold-start", cold_start, "measure how the functions of the stack start and answer", starts)
    verb("down", lambda given: engine.down(given.engine), "stop the emulator")
    verb("run", run, "up, deploy, test and down", profile, tests)
    return parser.parse_args()


try:
    given = parsed()
    given.action(given)
except Failure as failure:
    sys.exit(f"aws-local: {failure}")
