"""Deploys infra/template.yaml through CloudFormation, as `sam deploy` does."""

import hashlib
import json
import time

import botocore.exceptions

from . import binaries, issuer, overlay, routes, variables
from .failure import Failure
from .place import DEPLOYED, client, running

STACK = "muster-local"
BUCKET = "muster-local-artifacts"
PATIENCE_SECONDS = 300
PARAMETERS = {
    "OidcAudience": "muster",
    "AlarmEmail": "oncall@example.com",
    "Environment": "local",
    "LogLevel": "debug",
}


def deploy(profile):
    """Builds the binaries, deploys the template with them, and says where the stack is."""
    start = time.monotonic()
    found = running()
    issuer.make_key()
    template = overlay.template(found)
    functions = upload(template, profile, found)
    built = time.monotonic()
    parameters = {**PARAMETERS, "OidcIssuer": found["issuer"]}
    change(template, parameters)
    if found["engine"] == "ministack":
        routes.create(STACK, parameters)
    variables.write(functions)
    DEPLOYED.write_text(json.dumps(description(found), indent=2))
    print(f"aws-local: deployed {STACK}; built in {built - start:.1f} s, deployed in {time.monotonic() - built:.1f} s")


def upload(template, profile, found):
    """Puts the packages where CloudFormation takes them from, as `sam package` does with what `sam build` built.

    Gives the names that the functions will have in the stack, by the name of their binary.
    """
    functions = [one for one in template["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
    packages = binaries.build(profile, [binary(function) for function in functions], found.get("forwards"))
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for function in functions:
        package = packages[binary(function)]
        key = hashlib.sha256(package).hexdigest()
        s3.put_object(Bucket=BUCKET, Key=key, Body=package)
        function["Properties"]["CodeUri"] = {"Bucket": BUCKET, "Key": key}
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    return {binary(function): binary(function).replace("muster", STACK, 1) for function in functions}


def binary(function):
    return function["Metadata"]["BuildProperties"]["Binary"]


def change(template, parameters):
    """Creates the stack or changes it, and waits for the end."""
    cloudformation = client("cloudformation")
    kind = "UPDATE" if exists(cloudformation) else "CREATE"
    name = f"deploy-{time.time_ns()}"
    cloudformation.create_change_set(
        StackName=STACK,
        ChangeSetName=name,
        ChangeSetType=kind,
        # A text may have 51,200 bytes, and this template has more.
        TemplateURL=f"{running()['artifacts']}/{BUCKET}/template.json",
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    wait(lambda: cloudformation.describe_change_set(StackName=STACK, ChangeSetName=name)["Status"], "CREATE_COMPLETE")
    cloudformation.execute_change_set(StackName=STACK, ChangeSetName=name)
    wait(lambda: cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"], f"{kind}_COMPLETE")


def exists(cloudformation):
    try:
        cloudformation.describe_stacks(StackName=STACK)
        return True
    except botocore.exceptions.ClientError:
        return False


def wait(status, expected):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (seen := status()) != expected:
        if "FAILED" in seen or "ROLLBACK" in seen or time.monotonic() > deadline:
            raise Failure(f"deploying {STACK}: {seen}, expected {expected}\n{reasons()}")
        time.sleep(0.2)


def reasons():
    """Why resources failed, oldest first."""
    events = client("cloudformation").describe_stack_events(StackName=STACK)["StackEvents"]
    failed = [event for event in reversed(events) if "FAILED" in event["ResourceStatus"]]
    return "\n".join(f"  {event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed)


def description(found):
    """What the suite needs: the outputs of the stack, and where it itself must answer."""
    stack = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return {
        "endpoint": found["endpoint"],
        "api": api(found["endpoint"], outputs["ApiUrl"]),
        "issuer": found["issuer"],
        "issuer_key": str(issuer.FOLDER),
        "audience": PARAMETERS["OidcAudience"],
        # The functions of the stack are named as their binaries, after the stack.
        "matcher": f"{STACK}-matcher",
        "receiver": found["receiver"],
        "receiver_listens": found["receiver_listens"],
        "outputs": outputs,
    }


def api(endpoint, url):
    """The address of the API on the emulator: its id is the first part of the name that AWS would give it."""
    identifier = url.removeprefix("https://").split(".", 1)[0]
    return f"{endpoint}/_aws/execute-api/{identifier}/$default"
