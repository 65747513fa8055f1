"""Objects against the published schemas, where an unknown field is an error as it is for the API server."""

import functools
import importlib

import jsonschema
import kubernetes_validate

# The oldest and the newest Kubernetes that is promised.
KUBERNETES = ["1.30", "1.34"]
OPERATOR = "monitoring.coreos.com/v1"


@functools.cache
def operator_schema(kind):
    models = importlib.import_module("cloudcoil.models.prometheus_operator.v1")
    model = getattr(models, kind, None)
    return model and strict(model.model_json_schema(by_alias=True))


def strict(node):
    """The same schema, refusing fields that it does not name."""
    if isinstance(node, dict):
        closed = {"additionalProperties": False} if isinstance(node.get("properties"), dict) else {}
        return {**closed, **{key: strict(value) for key, value in node.items()}}
    return [strict(value) for value in node] if isinstance(node, list) else node


def faults(thing):
    """What the schemas say against an object: one line each."""
    kind, version = thing.get("kind"), thing.get("apiVersion", "")
    if version.split("/")[0].endswith("coreos.com"):
        schema = operator_schema(kind) if version == OPERATOR else None
        if not schema:
            return [f"no schema for {version} {kind}"]
        return [at(error) for error in jsonschema.Draft202012Validator(schema).iter_errors(thing)]
    found = []
    for release in KUBERNETES:
        try:
            kubernetes_validate.validate(thing, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(f"{release}: {at(error)}")
        except kubernetes_validate.SchemaNotFoundError:
            found.append(f"{release}: no schema for {version} {kind}")
    return found


def at(error):
    """Where it is wrong, by the innermost complaint of alternatives."""
    while error.context:
        error = max(error.context, key=lambda inner: len(inner.absolute_path))
    return f"{'.'.join(map(str, error.absolute_path)) or 'object'}: {error.message}"[:300]
