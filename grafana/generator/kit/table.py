"""Tables: one row for each set of labels, one column for each query."""

from collections.abc import Callable
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common as shared, table as tables
from grafana_foundation_sdk.models import common, dashboard as models

from . import limits, links
from .limits import Limit
from .panels import Link, States, mappings
from .query import DATASOURCE, Q, reference


@dataclass(frozen=True)
class Column:
    """One query of a table: its value stands under this title."""

    title: str
    expr: str
    unit: str = "none"
    limit: Limit | None = None
    decimals: int | None = None
    states: States | None = None
    hidden: bool = False


def _properties(column: Column) -> list[models.DynamicConfigValue]:
    found: list[models.DynamicConfigValue] = [models.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.decimals is not None:
        found.append(models.DynamicConfigValue(id_val="decimals", value=column.decimals))
    if column.states:
        found.append(models.DynamicConfigValue(id_val="mappings", value=mappings(column.states, "")))
    if column.limit:
        found.append(models.DynamicConfigValue(id_val="thresholds", value=column.limit.values()))
    if column.limit or column.states:
        found.append(models.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    return found


def table(
    title: str, description: str, by: list[str], *columns: Column, width: int, height: int = 8,
    sort: str | None = None, descending: bool = True, link: dict[str, list[Callable[[bool], tuple[str, str]]]] | None = None,
    nothing: str = "nothing here",
) -> tables.Panel:
    """The queries must give exactly the labels of `by`, in whose order they stand, before the values."""
    panel = tables.Panel().title(title).description(description).unit("none").span(width).height(height)
    panel.datasource(DATASOURCE).no_value(nothing).mappings(mappings(None, "")).thresholds(limits.NONE.build())
    panel.show_header(True).cell_height(common.TableCellHeight.SM).filterable(False)
    for index, column in enumerate(columns):
        panel.with_target(Q(column.expr, as_table=True).build(reference(index)))
    # Grafana calls the value of a lone query "Value", of one among many "Value #A".
    values = {("Value" if len(columns) == 1 else f"Value #{reference(i)}"): c for i, c in enumerate(columns)}
    if len(columns) > 1:
        panel.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    hidden = {"Time": True, "__name__": True}
    hidden |= {name: True for name, column in values.items() if column.hidden}
    panel.with_transformation(models.DataTransformerConfig(id_val="organize", options={
        "excludeByName": hidden,
        "indexByName": {name: index for index, name in enumerate([*by, *values])},
        "renameByName": {name: column.title for name, column in values.items() if not column.hidden},
    }))
    for column in columns:
        if not column.hidden:
            panel.override_by_name(column.title, _properties(column))
    for label, targets in (link or {}).items():
        found = links.values([target(True) for target in targets])
        panel.override_by_name(label, [models.DynamicConfigValue(id_val="links", value=found)])
    if sort:
        panel.sort_by([shared.TableSortByFieldState().display_name(sort).desc(descending)])
    return panel


__all__ = ["Column", "Link", "table"]
