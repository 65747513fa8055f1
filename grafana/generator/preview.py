#!/usr/bin/env python3
"""Draws a dashboard's grid as HTML, with the answers of a Prometheus: a look at layout and content without a Grafana.

Usage: preview.py http://localhost:9090 exchange-overview > preview.html
It is no Grafana: lines, tables and numbers are drawn in the simplest way, mappings and thresholds as far as they colour.
"""

import html
import json
import re
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

FOLDER = Path(__file__).parent.parent / "dashboards"
COLUMN, LINE = 66, 38
STEP = 15
COLOURS = ["#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#705da0", "#37872d", "#fade2a"]
HUES = {
    "text": "#ccccdc", "green": "#56a64b", "orange": "#ff780a", "red": "#e02f44", "yellow": "#f2cc0c", "blue": "#5794f2",
}
STYLE = """
body { background: #111217; color: #ccccdc; font: 12px sans-serif; margin: 8px; }
#grid { position: relative; width: 1584px; }
.panel { position: absolute; background: #181b1f; border: 1px solid #2c3235; overflow: hidden; box-sizing: border-box; padding: 4px 6px; }
.panel h2 { font-size: 13px; margin: 0 0 4px; font-weight: 600; }
.row { font-size: 15px; padding: 8px 2px; position: absolute; }
.tile { display: inline-block; margin: 2px; padding: 4px 8px; border-radius: 3px; background: #22252b; font-size: 17px; }
.tile small { display: block; font-size: 10px; opacity: .8; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 1px 8px 1px 0; font-size: 11px; white-space: nowrap; }
.legend span { margin-right: 8px; font-size: 10px; white-space: nowrap; }
"""


def fill(text: str, board: dict) -> str:
    values = {"__interval": "15s", "__rate_interval": "1m", "__range": board["time"]["from"].removeprefix("now-")}
    for variable in board["templating"]["list"]:
        value = variable["current"]["value"]
        values[variable["name"]] = variable.get("allValue") if value == "$__all" else value
    return re.sub(r"\$(\w+)", lambda found: values.get(found[1], found[0]), text)


def ask(server: str, query: str, instant: bool) -> list[dict]:
    now = time.time()
    wanted = {"query": query} if instant else {"query": query, "start": now - 600, "end": now, "step": STEP}
    path = "query" if instant else "query_range"
    try:
        with urllib.request.urlopen(f"{server}/api/v1/{path}?{urllib.parse.urlencode(wanted)}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]
    except OSError as error:
        return [{"metric": {"error": str(error)}, "value": [now, "NaN"], "values": []}]


def legend(target: dict, metric: dict) -> str:
    form = target.get("legendFormat", "__auto")
    if form == "__auto":
        return ", ".join(f"{key}={value}" for key, value in metric.items())
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: metric.get(found[1], ""), form)


def shown(value: float, unit: str, decimals: int | None) -> str:
    if value != value:
        return "unknown"
    if unit == "percentunit":
        return f"{100 * value:.{2 if decimals is None else decimals}f} %"
    if unit == "percent":
        return f"{value:.{2 if decimals is None else decimals}f} %"
    if unit == "currencyUSD":
        return f"${value:,.{2 if decimals is None else decimals}f}"
    if unit == "dateTimeFromNow":
        return f"{(time.time() - value / 1000) / 60:.0f} min ago"
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if unit in ("short", "bytes", "Bps", "none") and abs(value) >= limit and decimals is None:
            return f"{value / limit if letter != 'k' else value / 1e3:.2f} {letter}"
    if unit == "locale":
        return f"{value:,.{decimals or 0}f}"
    text = f"{value:.{decimals}f}" if decimals is not None else f"{value:.6g}"
    return f"{text} {unit.removeprefix('suffix:')}" if unit not in ("none", "short") else text


def mapped(defaults: dict, value: float) -> tuple[str | None, str]:
    for mapping in defaults.get("mappings", []):
        if mapping["type"] == "value" and value == value and (found := mapping["options"].get(str(int(value)))):
            return found["text"], HUES.get(found["color"], found["color"])
    colour = "text"
    for step in defaults.get("thresholds", {}).get("steps", []):
        if step["value"] is None or value >= step["value"]:
            colour = step["color"]
    return None, HUES.get(colour, colour)


def numbers(server: str, panel: dict, board: dict) -> str:
    defaults, tiles = panel["fieldConfig"]["defaults"], []
    for target in panel["targets"]:
        for series in ask(server, fill(target["expr"], board), True):
            value = float(series["value"][1])
            word, colour = mapped(defaults, value)
            text = word or shown(value, defaults["unit"], defaults.get("decimals"))
            back = panel["options"].get("colorMode") == "background" and colour not in ("#ccccdc",)
            style = f"background:{colour};color:#fff" if back else f"color:{colour}"
            tiles.append(f'<span class="tile" style="{style}"><small>{html.escape(legend(target, series["metric"]))}</small>'
                         f"{html.escape(text)}</span>")
    return "".join(tiles) or f'<span class="tile" style="color:#808080">{html.escape(defaults.get("noValue", ""))}</span>'


def table(server: str, panel: dict, board: dict) -> str:
    rows: dict[tuple, dict] = {}
    organize = panel["transformations"][-1]["options"]
    order = sorted(organize["indexByName"], key=organize["indexByName"].get)
    single = len(panel["targets"]) == 1
    units = {one["matcher"]["options"]: {p["id"]: p["value"] for p in one["properties"]}
             for one in panel["fieldConfig"]["overrides"] if one["properties"][0]["id"] == "unit"}
    for target in panel["targets"]:
        name = "Value" if single else f"Value #{target['refId']}"
        for series in ask(server, fill(target["expr"], board), True):
            metric = {key: value for key, value in series["metric"].items() if key != "__name__"}
            row = rows.setdefault(tuple(sorted(metric.items())), dict(metric))
            own = units.get(organize["renameByName"].get(name, name), {})
            value = float(series["value"][1])
            word, colour = mapped(own, value) if own.get("thresholds") or own.get("mappings") else (None, "inherit")
            text = word or shown(value, own.get("unit", "none"), own.get("decimals"))
            row[name] = f'<span style="color:{colour}">{html.escape(text)}</span>'
    if not rows:
        return html.escape(panel["fieldConfig"]["defaults"].get("noValue", ""))
    head = "".join(f"<th>{html.escape(organize['renameByName'].get(name, name))}</th>" for name in order)
    body = "".join("<tr>" + "".join(f"<td>{row.get(name, '')}</td>" for name in order) + "</tr>" for row in rows.values())
    return f"<table><tr>{head}</tr>{body}</table>"


def lanes(server: str, panel: dict, board: dict, width: int) -> str:
    """States over time: a lane for each series, a piece for each point."""
    defaults, now, rows = panel["fieldConfig"]["defaults"], time.time(), []
    for target in panel["targets"]:
        for series in ask(server, fill(target["expr"], board), False):
            pieces = []
            for at, value in series["values"]:
                word, colour = mapped(defaults, float(value))
                left = (at - now + 600) / 600 * width
                pieces.append(f'<span title="{html.escape(word or value)}" style="position:absolute;left:{left:.0f}px;top:2px;'
                              f'width:{STEP / 600 * width + 1:.0f}px;height:12px;background:{colour}"></span>')
            name = html.escape(legend(target, series["metric"]))
            rows.append(f'<div style="font-size:10px">{name}</div><div style="position:relative;height:16px">{"".join(pieces)}</div>')
    return "".join(rows) or html.escape(defaults.get("noValue", ""))


def lines(server: str, panel: dict, board: dict, width: int, height: int) -> str:
    found = [(legend(target, series["metric"]), [(t, float(v)) for t, v in series["values"]])
             for target in panel["targets"] for series in ask(server, fill(target["expr"], board), False)]
    values = [value for _, points in found for _, value in points if value == value]
    if not values:
        return html.escape(panel["fieldConfig"]["defaults"].get("noValue", ""))
    low, high, now = min(values), max(values), time.time()
    span = (high - low) or abs(high) or 1
    drawn, names = [], []
    for index, (name, points) in enumerate(found):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{(t - now + 600) / 600 * width:.0f},{height - 4 - (v - low) / span * (height - 8):.0f}"
                        for t, v in points if v == v)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}"/>')
        names.append(f'<span style="color:{colour}">{html.escape(name)}</span>')
    unit, decimals = panel["fieldConfig"]["defaults"]["unit"], panel["fieldConfig"]["defaults"].get("decimals")
    scale = f"{shown(low, unit, decimals)} … {shown(high, unit, decimals)}"
    return (f'<svg width="{width}" height="{height}">{"".join(drawn)}</svg>'
            f'<div class="legend"><span>{scale}</span>{"".join(names)}</div>')


def main() -> None:
    server, uid = sys.argv[1].rstrip("/"), sys.argv[2]
    board = json.loads((FOLDER / f"{uid}.json").read_text(encoding="utf-8"))
    parts, bottom = [], 0
    for panel in board["panels"]:
        place = panel["gridPos"]
        left, top, width, height = place["x"] * COLUMN, place["y"] * LINE, place["w"] * COLUMN - 6, place["h"] * LINE - 6
        bottom = max(bottom, top + height)
        if panel["type"] == "row":
            parts.append(f'<div class="row" style="left:{left}px;top:{top}px">▾ {html.escape(panel["title"])}</div>')
            continue
        if panel["type"] == "table":
            inside = table(server, panel, board)
        elif panel["type"] == "state-timeline":
            inside = lanes(server, panel, board, width - 14)
        elif panel["type"] in ("timeseries", "heatmap"):
            inside = lines(server, panel, board, width - 14, max(height - 75, 30))
        else:
            inside = numbers(server, panel, board)
        parts.append(f'<div class="panel" style="left:{left}px;top:{top}px;width:{width}px;height:{height}px">'
                     f'<h2>{html.escape(panel["title"])}</h2>{inside}</div>')
    print(f'<meta charset="utf-8"><style>{STYLE}</style><h1 style="font-size:18px">{html.escape(board["title"])}</h1>'
          f'<div id="grid" style="height:{bottom + 20}px">{"".join(parts)}</div>')


if __name__ == "__main__":
    main()
