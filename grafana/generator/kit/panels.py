"""The kinds of panels. Each has a title, a description, a unit, and says "unknown" where nothing is known."""

from collections.abc import Callable

from grafana_foundation_sdk.builders import bargauge, common as shared, heatmap as heatmaps, piechart, stat as stats
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import statetimeline, timeseries
from grafana_foundation_sdk.models import common, dashboard as models
from grafana_foundation_sdk.models.piechart import PieChartType, PieChartLegendValues

from . import limits, links
from .limits import UNKNOWN, Limit
from .query import DATASOURCE, Q, reference

Link = Callable[[bool], tuple[str, str]]
States = dict[int, tuple[str, str]]


def mappings(states: States | None, unknown: str = "unknown") -> list[models.ValueMapping]:
    """Words and colours for numbers; what is not there is grey, whatever the thresholds say."""
    nothing = models.ValueMappingResult(text=unknown, color=UNKNOWN, index=0)
    special = models.SpecialValueMap(options=models.DashboardSpecialValueMapOptions(
        match=models.SpecialValueMatch.NULL_AND_NAN, result=nothing))
    if not states:
        return [special]
    options = {
        str(value): models.ValueMappingResult(text=text, color=color, index=index)
        for index, (value, (text, color)) in enumerate(states.items(), 1)
    }
    return [models.ValueMap(options=options), special]


def _common(panel, title: str, description: str, queries: list[Q], unit: str, width: int, height: int):
    panel.title(title).description(description).unit(unit).span(width).height(height).datasource(DATASOURCE)
    for index, query in enumerate(queries):
        panel.with_target(query.build(reference(index)))
    return panel


def _last() -> shared.ReduceDataOptions:
    # The last point, also where it is empty: an older one would pass for the present.
    return shared.ReduceDataOptions().calcs(["last"]).values(False)


def _color(mode: models.FieldColorModeId, fixed: str | None = None) -> builders.FieldColor:
    color = builders.FieldColor().mode(mode)
    return color.fixed_color(fixed) if fixed else color


def stat(
    title: str, description: str, *queries: Q, unit: str, width: int, height: int = 4, limit: Limit = limits.NONE,
    states: States | None = None, link: Link | None = None, decimals: int | None = None, named: bool = False,
    background: bool = False, spark: bool = False, nothing: str = "unknown",
) -> stats.Panel:
    """A number, or a word, of this moment; one for each series."""
    # A sparkline needs the range; without one only the present is asked for.
    asked = [Q(query.expr, query.legend, instant=not spark) for query in queries]
    panel = _common(stats.Panel(), title, description, asked, unit, width, height)
    panel.thresholds(limit.build()).color_scheme(_color(models.FieldColorModeId.THRESHOLDS))
    panel.mappings(mappings(states)).no_value(nothing).reduce_options(_last())
    panel.color_mode(common.BigValueColorMode.BACKGROUND if background else common.BigValueColorMode.VALUE)
    panel.graph_mode(common.BigValueGraphMode.AREA if spark else common.BigValueGraphMode.NONE)
    panel.text_mode(common.BigValueTextMode.VALUE_AND_NAME if named else common.BigValueTextMode.AUTO)
    panel.justify_mode(common.BigValueJustifyMode.AUTO).wide_layout(True).orientation(common.VizOrientation.AUTO)
    if decimals is not None:
        panel.decimals(decimals)
    if link:
        panel.data_links(links.data_links([link(False)]))
    return panel


def series(
    title: str, description: str, *queries: Q, unit: str, width: int, height: int = 8, limit: Limit = limits.NONE,
    link: Link | None = None, decimals: int | None = None, stacked: bool = False, minimum: float | None = None,
    maximum: float | None = None, bars_of: bool = False, steps: bool = False, legend_values: bool = True, nothing: str = "no data",
) -> timeseries.Panel:
    """Lines over time. A hole in the data is a hole in the line."""
    panel = _common(timeseries.Panel(), title, description, list(queries), unit, width, height)
    panel.span_nulls(False).show_points(common.VisibilityMode.AUTO).line_width(1).no_value(nothing)
    panel.fill_opacity(25 if stacked or bars_of else 0).thresholds(limit.build())
    panel.color_scheme(_color(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    if limit.told:
        panel.thresholds_style(shared.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED))
    if stacked:
        panel.stacking(shared.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    if bars_of:
        panel.draw_style(common.GraphDrawStyle.BARS)
    if steps:
        panel.line_interpolation(common.LineInterpolation.STEP_AFTER)
    if minimum is not None:
        panel.min(minimum)
    if maximum is not None:
        panel.max(maximum)
    if decimals is not None:
        panel.decimals(decimals)
    if link:
        panel.data_links(links.data_links([link(False)]))
    legend = shared.VizLegendOptions().placement(common.LegendPlacement.BOTTOM).show_legend(True)
    legend.display_mode(common.LegendDisplayMode.TABLE if legend_values and height >= 8 else common.LegendDisplayMode.LIST)
    legend.calcs(["last", "min", "max"] if legend_values and height >= 8 else [])
    panel.legend(legend)
    return panel.tooltip(shared.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))


def bars(
    title: str, description: str, *queries: Q, unit: str, width: int, height: int = 8, limit: Limit = limits.NONE,
    link: Link | None = None, minimum: float | None = 0, maximum: float | None = None, decimals: int | None = None,
) -> bargauge.Panel:
    """A bar for each series, of this moment."""
    asked = [Q(query.expr, query.legend, instant=True) for query in queries]
    panel = _common(bargauge.Panel(), title, description, asked, unit, width, height)
    panel.thresholds(limit.build()).mappings(mappings(None)).no_value("unknown").reduce_options(_last())
    mode = models.FieldColorModeId.THRESHOLDS if limit.told else models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME
    panel.color_scheme(_color(mode)).orientation(common.VizOrientation.HORIZONTAL)
    panel.display_mode(common.BarGaugeDisplayMode.GRADIENT).value_mode(common.BarGaugeValueMode.TEXT).show_unfilled(True)
    if minimum is not None:
        panel.min(minimum)
    if maximum is not None:
        panel.max(maximum)
    if decimals is not None:
        panel.decimals(decimals)
    if link:
        panel.data_links(links.data_links([link(False)]))
    return panel


def gauge(title: str, description: str, query: Q, *, unit: str, width: int, limit: Limit, **more) -> bargauge.Panel:
    """Bars from nothing to all."""
    return bars(title, description, query, unit=unit, width=width, limit=limit, minimum=0, maximum=1, **more)


def pie(
    title: str, description: str, query: Q, *, unit: str, width: int, height: int = 8, link: Link | None = None,
    decimals: int | None = None,
) -> piechart.Panel:
    """Parts of a whole. Parts below zero cannot be drawn: the query leaves them out."""
    panel = _common(piechart.Panel(), title, description, [Q(query.expr, query.legend, instant=True)], unit, width, height)
    panel.color_scheme(_color(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME)).no_value("unknown")
    panel.pie_type(PieChartType.DONUT).reduce_options(_last()).mappings(mappings(None))
    legend = piechart.PieChartLegendOptions().display_mode(common.LegendDisplayMode.TABLE).show_legend(True)
    legend.placement(common.LegendPlacement.RIGHT).calcs([])
    legend.values([PieChartLegendValues.VALUE, PieChartLegendValues.PERCENT])
    if decimals is not None:
        panel.decimals(decimals)
    if link:
        panel.data_links(links.data_links([link(False)]))
    return panel.legend(legend)


def states(
    title: str, description: str, *queries: Q, words: States, width: int, height: int = 8, link: Link | None = None,
    nothing: str = "no data",
) -> statetimeline.Panel:
    """States over time, a lane for each series. Where nothing is known the lane is empty."""
    panel = _common(statetimeline.Panel(), title, description, list(queries), "none", width, height)
    panel.mappings(mappings(words)).no_value(nothing).span_nulls(False).merge_values(True)
    panel.thresholds(limits.NONE.build()).color_scheme(_color(models.FieldColorModeId.THRESHOLDS))
    panel.show_value(common.VisibilityMode.AUTO).row_height(0.85).fill_opacity(80).line_width(0)
    panel.align_value(common.TimelineValueAlignment.LEFT)
    panel.legend(shared.VizLegendOptions().show_legend(True).display_mode(common.LegendDisplayMode.LIST)
                 .placement(common.LegendPlacement.BOTTOM).calcs([]))
    panel.tooltip(shared.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE).sort(common.SortOrder.NONE))
    if link:
        panel.data_links(links.data_links([link(False)]))
    return panel


def history(title: str, description: str, *queries: Q, word: str, color: str, **more) -> statetimeline.Panel:
    """When something was so: the lane is coloured then and empty otherwise."""
    return states(title, description, *queries, words={1: (word, color)}, **more)


def heatmap(title: str, description: str, query: Q, *, unit: str, width: int, height: int = 8) -> heatmaps.Panel:
    """How a histogram's buckets fill over time."""
    heat = Q(query.expr, query.legend, heat=True)
    panel = _common(heatmaps.Panel(), title, description, [heat], unit, width, height).no_value("no data")
    panel.calculate(False).cell_gap(1).show_value(common.VisibilityMode.NEVER)
    panel.y_axis(heatmaps.YAxisConfig().unit(unit).axis_placement(common.AxisPlacement.LEFT))
    return panel.color(heatmaps.HeatmapColorOptions().scheme("Oranges").steps(64).exponent(0.5).reverse(False))
