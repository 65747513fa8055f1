"""From one dashboard to the next. Every link keeps the time range, the data source and what else was chosen."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

TAG = "exchange-suite"

# What the menu on top of each dashboard offers, in the order of a night's questions.
MENU = (
    ("exchange-overview", "Overview", "Is everything well, what is it worth, what fires"),
    ("exchange-alerts", "Alerts", "What fires and what is pending, with the runbooks"),
    ("exchange-venue-health", "Health", "Latency, errors, limits and the error budget of the venues"),
    ("exchange-venue", "Venue", "One venue in depth"),
    ("exchange-markets", "Markets", "Prices over the venues, movers, volumes"),
    ("exchange-symbol", "Symbol", "One symbol over all venues"),
    ("exchange-treasury", "Treasury", "Equity, its history, drawdown and coverage"),
    ("exchange-wallet", "Wallet", "Balances by asset, wallet and venue"),
    ("exchange-operations", "Operations", "Orders, executions, fees, positions"),
    ("exchange-keys-audit", "Keys", "Rights of the keys, configuration, what happened when"),
    ("exchange-infrastructure", "Infrastructure", "Hosts, containers, databases, Prometheus, the exporters' cost"),
)

_COMMON = "${__url_time_range}&${datasource:queryparam}"


# Dashboards of one venue and of one symbol: all of them, chosen elsewhere, would make no sense there.
_OF_ONE = {"exchange-venue": ("exchange", "venue"), "exchange-symbol": ("symbol", "main_symbol")}


def menu(own: str, names: list[str]) -> list[builders.DashboardLink]:
    """A link to every other dashboard, from one that has these variables."""
    return [
        builders.DashboardLink(title).type(models.DashboardLinkType.LINK).icon("dashboard").tooltip(tooltip)
        .url(_address(uid, names)).keep_time(True).include_vars(_carries_all(uid, names))
        for uid, title, tooltip in MENU if uid != own
    ]


def _carries_all(target: str, names: list[str]) -> bool:
    return target not in _OF_ONE or _OF_ONE[target][0] not in names


def _address(target: str, names: list[str]) -> str:
    if _carries_all(target, names):
        return f"/d/{target}"
    # The names of the variables are those of the generator, but for the ones that take one value.
    variables = {"venue": "exchange", "main_symbol": "symbol"}
    kept = [variables.get(name, name) for name in names if name != _OF_ONE[target][0]]
    return f"/d/{target}?" + "&".join(f"${{{name}:queryparam}}" for name in ["datasource", *kept])


def _field(label: str, in_table: bool) -> str:
    return f"${{__data.fields.{label}}}" if in_table else f"${{__field.labels.{label}}}"


def venue(in_table: bool = False) -> tuple[str, str]:
    return "Open the venue", f"/d/exchange-venue?var-exchange={_field('exchange', in_table)}&{_COMMON}"


def health(in_table: bool = False) -> tuple[str, str]:
    return "Open the venue's health", f"/d/exchange-venue-health?var-exchange={_field('exchange', in_table)}&{_COMMON}"


def symbol(in_table: bool = False) -> tuple[str, str]:
    return "Open the symbol", f"/d/exchange-symbol?var-symbol={_field('symbol', in_table)}&{_COMMON}"


def treasury(in_table: bool = False) -> tuple[str, str]:
    return "Open the venue's money", f"/d/exchange-treasury?var-exchange={_field('exchange', in_table)}&{_COMMON}"


def wallet(in_table: bool = False) -> tuple[str, str]:
    return "Open the asset", f"/d/exchange-wallet?var-asset={_field('asset', in_table)}&{_COMMON}"


def board(uid: str) -> tuple[str, str]:
    title = next(title for other, title, _ in MENU if other == uid)
    return f"Open {title}", f"/d/{uid}?{_COMMON}"


def runbook(_in_table: bool = True) -> tuple[str, str]:
    """Prometheus serves the runbooks under /user; Grafana passes the request on, so that it works wherever Grafana does."""
    return "Open the runbook", "/api/datasources/proxy/uid/${datasource}/user/${__data.fields.alertname}.md"


def data_links(links: list[tuple[str, str]]) -> list[builders.DashboardLink]:
    """As a panel takes them."""
    return [builders.DashboardLink(title).url(url) for title, url in links]


def values(links: list[tuple[str, str]]) -> list[dict[str, object]]:
    """As an override takes them."""
    # A runbook opens beside the dashboard, a dashboard in its place.
    return [{"title": title, "url": url, "targetBlank": url.startswith("/api/")} for title, url in links]
