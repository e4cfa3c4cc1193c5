"""Gives the HTTP API its routes.

SAM describes them in an OpenAPI document, the `Body` of the API, which CloudFormation imports in AWS. The emulator's drops
it. So the document is taken out of the processed template, as SAM wrote it, and each part is created by a call.
"""

import re

from .place import client

ALIAS = re.compile(r"functions/\$\{(\w+)\}/invocations")


def create(stack, parameters):
    """Creates the authorizers, integrations and routes of the stack's API, in place of those it has."""
    cloudformation, gateway = client("cloudformation"), client("apigatewayv2")
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    document = template["Resources"]["HttpApi"]["Properties"]["Body"]
    arns = Functions(cloudformation, stack)
    api = arns.physical("HttpApi")
    empty(gateway, api)
    schemes = document["components"]["securitySchemes"]
    authorizers = {name: authorizer(gateway, api, name, scheme, parameters) for name, scheme in schemes.items()}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            integration = integrate(gateway, api, operation["x-amazon-apigateway-integration"], arns)
            route(gateway, api, route_key(method, path), integration, operation["security"], authorizers)


class Functions:
    """Where the functions of the stack are."""

    def __init__(self, cloudformation, stack):
        self.cloudformation, self.stack = cloudformation, stack

    def physical(self, logical):
        found = self.cloudformation.describe_stack_resource(StackName=self.stack, LogicalResourceId=logical)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def arn(self, uri):
        """An integration invokes a function's alias, whose physical id is its ARN."""
        return self.physical(ALIAS.search(uri["Fn::Sub"])[1])


def empty(gateway, api):
    for route in gateway.get_routes(ApiId=api)["Items"]:
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
    for integration in gateway.get_integrations(ApiId=api)["Items"]:
        gateway.delete_integration(ApiId=api, IntegrationId=integration["IntegrationId"])
    for authorizer in gateway.get_authorizers(ApiId=api)["Items"]:
        gateway.delete_authorizer(ApiId=api, AuthorizerId=authorizer["AuthorizerId"])


def authorizer(gateway, api, name, scheme, parameters):
    described = scheme["x-amazon-apigateway-authorizer"]
    token = described["jwtConfiguration"]
    created = gateway.create_authorizer(
        ApiId=api,
        Name=name,
        AuthorizerType=described["type"].upper(),
        IdentitySource=[described["identitySource"]],
        JwtConfiguration={
            "Issuer": parameters[token["issuer"]["Ref"]],
            "Audience": [parameters[audience["Ref"]] for audience in token["audience"]],
        },
    )
    return created["AuthorizerId"]


def integrate(gateway, api, described, functions):
    created = gateway.create_integration(
        ApiId=api,
        IntegrationType=described["type"].upper(),
        IntegrationMethod=described["httpMethod"],
        IntegrationUri=functions.arn(described["uri"]),
        PayloadFormatVersion=described["payloadFormatVersion"],
    )
    return created["IntegrationId"]


def route_key(method, path):
    return f"{'ANY' if method == 'x-amazon-apigateway-any-method' else method.upper()} {path}"


def route(gateway, api, key, integration, security, authorizers):
    """A route without a scheme of its own has the name of none: SAM writes NONE."""
    [(scheme, _)] = security[0].items()
    guarded = {"AuthorizationType": "JWT", "AuthorizerId": authorizers[scheme]} if scheme in authorizers else {}
    assert guarded or scheme == "NONE", f"{key} asks for {scheme}, which the API does not have"
    gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integration}", **guarded)
