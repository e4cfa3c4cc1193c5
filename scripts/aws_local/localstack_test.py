"""What `--engine localstack` says where it cannot run. Needs neither Docker nor a token: python3 scripts/aws_local/localstack_test.py"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parents[1]


class WithoutWhatItNeeds(unittest.TestCase):
    def check(self, docker, token, *expected):
        """`docker` is the script that stands in for the command; None is no command."""
        with tempfile.TemporaryDirectory() as folder:
            if docker is not None:
                command = pathlib.Path(folder, "docker")
                command.write_text(f"#!/bin/sh\n{docker}\n")
                command.chmod(0o755)
            environment = {"PATH": folder, "PYTHONPATH": str(SCRIPTS), **token}
            asked = [sys.executable, "-B", "-m", "aws_local", "--engine", "localstack", "up"]
            done = subprocess.run(asked, env=environment, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertNotIn("Traceback", done.stderr)
        for text in ("aws-local: LocalStack ", "or leave `--engine localstack` out", *expected):
            self.assertIn(text, done.stderr)

    def test_docker_is_missing(self):
        self.check(None, {}, "there is no command `docker`. Install Docker")

    def test_docker_does_not_answer(self):
        refused = "echo Client: 28; echo Cannot connect to the Docker daemon. >&2; exit 1"
        self.check(refused, {}, "does not answer: Cannot connect to the Docker daemon.", "Start Docker")

    def test_the_token_is_missing(self):
        for token in ({}, {"LOCALSTACK_AUTH_TOKEN": ""}):
            self.check("exit 0", token, "LOCALSTACK_AUTH_TOKEN is not set", "https://app.localstack.cloud")


if __name__ == "__main__":
    unittest.main()
