"""The variables of the deployed functions, in files that `cargo lambda watch --env-file` reads."""

from .place import HOME, client

# Lambda gives every function its own; a program that runs outside it needs these too.
CREDENTIALS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def write(functions):
    """Writes `muster-worker.env` and the like. `functions` are the names in the stack by the name of the binary."""
    for binary, name in functions.items():
        described = client("lambda").get_function_configuration(FunctionName=name)
        variables = {**described["Environment"]["Variables"], **CREDENTIALS}
        lines = [f"{key}={value}\n" for key, value in sorted(variables.items())]
        (HOME / f"{binary}.env").write_text("".join(lines))
