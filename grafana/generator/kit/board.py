"""A dashboard: its frame, and where its panels lie."""

import json
import warnings
import zlib

warnings.filterwarnings("ignore", category=DeprecationWarning, module="grafana_foundation_sdk")

from grafana_foundation_sdk.builders import dashboard as builders, prometheus  # noqa: E402
from grafana_foundation_sdk.cog.encoder import JSONEncoder  # noqa: E402
from grafana_foundation_sdk.models import dashboard as models  # noqa: E402

from . import links, variables  # noqa: E402
from .query import BOT_JOBS, DATASOURCE  # noqa: E402
from .schema import tidy  # noqa: E402

COLUMNS = 24
_FIRING = 'alertstate="firing",alertname!="Watchdog"'
# A series with no exchange (a host's alert), or with no bot (the gateway's), is everybody's of the area.
_ALERTS = {
    "exchange": f'ALERTS{{{_FIRING},exchange=~"$exchange"}} or ALERTS{{{_FIRING},exchange="",scope!="bot"}}',
    "bot": f'ALERTS{{{_FIRING},scope="bot",bot=~"($bot)|"}}',
}
_STARTED = {
    "exchange": '1000 * process_start_time_seconds{job=~"$job",instance=~"$instance",exchange=~"$exchange"}',
    "bot": f"1000 * process_start_time_seconds{{{BOT_JOBS}}}",
}


class Board:
    """Panels are laid from left to right; `row` begins a new section, `fold` one that is closed at first."""

    def __init__(self, uid: str, description: str, *, names: list[str], since: str, refresh: str) -> None:
        self.uid = uid
        area = links.area(uid)
        self._frame = (
            builders.Dashboard(links.title(uid)).uid(uid).description(description).readonly()
            .tags(links.tags(uid)).time(since, "now").refresh(refresh).timezone("browser")
            .tooltip(models.DashboardCursorSync.CROSSHAIR).links(links.menu(uid, names)).version(1)
            .timepicker(builders.TimePicker().refresh_intervals(["5s", "10s", "30s", "1m", "5m", "15m"]))
        )
        self._frame.with_variable(variables.datasource())
        for name in names:
            self._frame.with_variable(variables.VARIABLES[name]())
        alerts = f"ALERTS{{{_FIRING}}}" if uid == links.START else _ALERTS[area]
        self._annotate("Alerts", "red", alerts, "{{alertname}}", "{{severity}} {{exchange}} {{account}} {{symbol}} {{bot}}",
                       "severity,exchange,bot")
        self._annotate("Restarts", "blue", _STARTED[area], "{{job}} started", "{{instance}}", "job", at_value=True)
        self._x = self._y = self._height = 0
        self._ids: dict[int, str] = {}

    def _annotate(self, name, color, expr, title, text, tags, *, at_value: bool = False) -> None:
        query = (
            builders.AnnotationQuery().name(name).datasource(DATASOURCE).enable(True).hide(False).icon_color(color)
            .expr(expr).title_format(title).text_format(text).tag_keys(tags).step("1m").use_value_for_time(at_value)
            .target(prometheus.Dataquery().expr(expr).ref_id("Anno").range())
        )
        self._frame.annotation(query)

    def _number(self, kind: str, title: str) -> int:
        """Made from the title, so that links to a panel outlive changes around it."""
        number = zlib.crc32(f"{kind} {title}".encode()) % 1_000_000 + 1
        if number in self._ids:
            raise ValueError(f"{self.uid}: {title!r} and {self._ids[number]!r} have the same number; rename one")
        self._ids[number] = title
        return number

    def row(self, title: str) -> None:
        """A heading across the dashboard."""
        self._end_line()
        place = models.GridPos(x=0, y=self._y, w=COLUMNS, h=1)
        self._frame.with_row(builders.Row(title).id(self._number("row", title)).grid_pos(place))
        self._y += 1

    def add(self, *panels) -> None:
        """The next panels, to the right of the last, on a new line where there is no room."""
        for builder in panels:
            panel = builder.build()
            place = panel.grid_pos
            if self._x + place.w > COLUMNS:
                self._end_line()
            place.x, place.y = self._x, self._y
            panel.id_val = self._number("panel", panel.title)
            self._x += place.w
            self._height = max(self._height, place.h)
            self._frame.with_panel(builder)

    def _end_line(self) -> None:
        self._x, self._y, self._height = 0, self._y + self._height, 0

    def text(self) -> str:
        """What Grafana is given."""
        plain = json.loads(json.dumps(self._frame.build(), cls=JSONEncoder))
        return json.dumps(tidy(plain), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
