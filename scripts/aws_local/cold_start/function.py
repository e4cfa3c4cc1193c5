"""One life of a function: started, invoked, and ended, with what it took."""

import dataclasses
import pathlib
import queue
import subprocess
import time

from ..failure import Failure
from ..place import HOME
from .runtime_api import RuntimeApi

WARM_INVOCATIONS = 10
PATIENCE_SECONDS = 30
# As Lambda gives them to every function, beside its address.
OF_LAMBDA = {
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/muster",
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/03/01/[$LATEST]0123456789abcdef0123456789abcdef",
}


@dataclasses.dataclass
class Took:
    """Seconds on the clock, and of a processor. On a machine that does other work too, the second says more."""

    clock: float
    processor: float


@dataclasses.dataclass
class Sample:
    """What one life took. Memory is in kibibytes."""

    init: Took
    first: Took
    warm: list
    idle: int
    resident: int
    peak: int


def run(binary, variables, event):
    """From the start of the process to its end."""
    with RuntimeApi() as lambda_, (HOME / f"cold-start-{binary.name}.log").open("w") as log:
        environment = {
            **OF_LAMBDA,
            **variables,
            "AWS_LAMBDA_RUNTIME_API": lambda_.address,
            "AWS_LAMBDA_FUNCTION_NAME": binary.name,
        }
        start = time.perf_counter()
        process = subprocess.Popen([binary], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            return observed(lambda_, process.pid, start, event)
        except queue.Empty:
            raise Failure(f"{binary.name} does not answer; see {log.name}") from None
        finally:
            process.kill()
            process.wait()


def observed(lambda_, pid, start, event):
    asked = lambda_.asked.get(timeout=PATIENCE_SECONDS)
    init = Took(asked - start, processor_time(pid))
    idle = memory(pid)["VmRSS"]
    first = invocation(lambda_, pid, event)
    warm = [invocation(lambda_, pid, event) for _ in range(WARM_INVOCATIONS)]
    used = memory(pid)
    return Sample(init, first, warm, idle, used["VmRSS"], used["VmHWM"])


def invocation(lambda_, pid, event):
    """From the event's handing over to the answer. Waits until the function asks for the next, so that nothing overlaps."""
    before, start = processor_time(pid), time.perf_counter()
    lambda_.invocations.put(event)
    end, path, body = lambda_.answered.get(timeout=PATIENCE_SECONDS)
    if not path.endswith("/response"):
        raise Failure(f"an invocation failed: {body.decode()}")
    lambda_.asked.get(timeout=PATIENCE_SECONDS)
    return Took(end - start, processor_time(pid) - before)


def processor_time(pid):
    """Of all threads, those that ended left out."""
    threads = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        fields = (line.split(":", 1) for line in status)
        return {name: int(value.split()[0]) for name, value in fields if name in ("VmRSS", "VmHWM")}
