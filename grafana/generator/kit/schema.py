"""Whether Grafana's own schema, as the library knows it, reads each dashboard and loses nothing."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

register_default_plugins()


# The library has one type for the links of dashboards and of data; these say something of the former only.
_NOT_OF_DATA_LINKS = ("asDropdown", "icon", "includeVars", "keepTime", "tags", "tooltip", "type")


def tidy(node: object) -> object:
    """Without what the library adds by itself and what would do harm or say nothing."""
    if isinstance(node, list):
        return [tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: tidy(value) for key, value in node.items()}
    # It would hide the links between dashboards, and the annotations' switches, in a menu.
    kept.pop("placement", None)
    if kept.get("repeatDirection") and not kept.get("repeat"):
        del kept["repeatDirection"]
    if "skipUrlSync" in kept and kept.get("type") != "interval":
        for key in ("auto", "auto_count", "auto_min"):
            kept.pop(key, None)
    if str(kept.get("url", "")).startswith(("/d/", "/api/")) and not kept.get("keepTime"):
        for key in _NOT_OF_DATA_LINKS:
            kept.pop(key, None)
    return kept


def _differences(one: object, other: object, path: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [found for key in one.keys() | other.keys()
                for found in _differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for index, (a, b) in enumerate(zip(one, other)) for found in _differences(a, b, f"{path}[{index}]")]
    return [] if one == other else [f"{path}: {one!r} became {other!r}"]


def same_after_reading(name: str, text: str) -> None:
    """A field that the schema does not know is lost when it is read, and so found here."""
    before = json.loads(text)
    after = tidy(json.loads(json.dumps(Dashboard.from_json(before), cls=JSONEncoder)))
    lost = _differences(before, after, name)
    if lost:
        raise ValueError("not what Grafana's schema knows:\n" + "\n".join(sorted(lost)))
