"""The template as it is, and the listed differences that the emulator needs."""

import yaml

from .failure import Failure
from .place import ROOT

TEMPLATE = ROOT / "infra" / "template.yaml"
OVERLAY = ROOT / "infra" / "local" / "overlay.yaml"


class Reader(yaml.SafeLoader):
    """Reads CloudFormation's short forms (`!Ref Name`) as their long ones (`{"Ref": "Name"}`)."""


def long_form(loader, tag, node):
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if tag in ("Ref", "Condition"):
        return {tag: value}
    if tag == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {f"Fn::{tag}": value}


Reader.add_multi_constructor("!", long_form)


def template(values):
    """The template with the overlay applied. `values` are what the overlay's `${names}` stand for."""
    document = yaml.load(TEMPLATE.read_text(), Reader)
    for entry in yaml.load(OVERLAY.read_text(), Reader)["differences"]:
        for path in entry["at"]:
            apply(document, path, entry, values)
    return document


def apply(document, path, entry, values):
    """Makes one difference; `*` in the path stands for any name and any place in a list."""
    *parents, last = path.strip("/").split("/")
    places = [document]
    for name in parents:
        places = [child for place in places for child in children(place, name)]
    changed = [change(place, last, entry, values) for place in places]
    # A difference that no longer differs from anything must not stay unseen.
    if not any(changed):
        raise Failure(f"the overlay would {entry['change']} {path}: the template has changed")


def children(place, name):
    if name == "*":
        return list(place.values()) if isinstance(place, dict) else place if isinstance(place, list) else []
    return [place[name]] if isinstance(place, dict) and name in place else []


def change(place, name, entry, values):
    """Whether there was something to change."""
    if not isinstance(place, dict) or (name in place) == (entry["change"] == "add"):
        return False
    if entry["change"] == "remove":
        del place[name]
    else:
        place[name] = filled(entry["value"], values)
    return True


def filled(value, values):
    if not isinstance(value, str) or not value.startswith("${"):
        return value
    return values[value[2:-1]]
