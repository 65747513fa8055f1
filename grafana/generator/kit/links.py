"""From one dashboard to the next. Every link keeps the time range, the data source and what else was chosen."""

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

TAG = "exchange-suite"
# What the other area's dashboards unfold in a menu has this tag. That carries all that was chosen, so that a dashboard of one
# venue is not in it: bots are looked at on several.
MENU_TAG = "menu"
_NOT_IN_MENU = ("exchange-venue",)
START = "bot-start"

# What the menu on top of each dashboard offers, in the order of a night's questions. The first word of a uid is its area.
MENU = (
    (START, "Start", "The way to everything, and how each area is"),
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
    ("bot-trader", "Trader", "A trader's own figures beside what the exchange says"),
    ("bot-slots", "Slots", "Slots, their timeline, and the cascade of money between them"),
    ("bot-strategies", "Strategies", "What each strategy earns, and at what risk"),
    ("bot-agents", "Agents", "All agents: running, deciding, failing"),
    ("bot-agent", "Agent", "One agent in depth"),
    ("bot-consensus", "Consensus", "What the agents agree on, and how sure they are"),
    ("bot-arbitrage", "Arbitrage", "Legs, hedges and profit beside the venues' prices"),
    ("bot-tasks", "Tasks", "Tasks, chunks, timeouts, and the containers that do them"),
    ("bot-services", "Services", "Services, event bus, stores, and what risk control says"),
    ("bot-history", "History", "What became of it, and what happened when"),
    ("bot-controls", "Controls", "Silences, targets, and the bots' gateway"),
    ("bot-logs", "Logs", "Errors by kind, and where the lines are"),
)

_AREAS = {"exchange": "Exchanges", "bot": "Bots"}

_COMMON = "${__url_time_range}&${datasource:queryparam}"


# Dashboards of one venue, symbol or agent: all of them, chosen elsewhere, would make no sense there.
_OF_ONE = {
    "exchange-venue": ("exchange", "venue"), "exchange-symbol": ("symbol", "main_symbol"),
    "exchange-overview": ("symbol", "main_symbol"), "bot-agent": ("agent", "main_agent"),
}
# Variables have the names of the generator, but for those that take one value, or the values that bots tell.
_NAMES = {
    "venue": "exchange", "main_symbol": "symbol", "main_agent": "agent", "bot_exchange": "exchange", "told_exchange": "exchange",
    "told_account": "account",
}


def area(uid: str) -> str:
    return uid.split("-", maxsplit=1)[0]


def name(uid: str) -> str:
    return next(name for other, name, _ in MENU if other == uid)


def title(uid: str) -> str:
    return name(uid) if uid == START else f"{_AREAS[area(uid)]} / {name(uid)}"


def tags(uid: str) -> list[str]:
    return [TAG, area(uid), "prometheus", *([] if uid in _NOT_IN_MENU else [MENU_TAG])]


def menu(own: str, names: list[str]) -> list[builders.DashboardLink]:
    """A button for each dashboard of the area, and the other area as a menu that unfolds; from one that has these variables."""
    near = [entry for entry in MENU if entry[0] != own and (entry[0] == START or area(entry[0]) == area(own))]
    far = [entry for entry in MENU if entry not in near and entry[0] != own and entry[0] in _NOT_IN_MENU]
    others = [_unfolding(other) for other in _AREAS if other != area(own)]
    return [*(_button(entry, names) for entry in near), *others, *(_button(entry, names) for entry in far)]


def _button(entry: tuple[str, str, str], names: list[str]) -> builders.DashboardLink:
    uid, word, tooltip = entry
    link = builders.DashboardLink(word).type(models.DashboardLinkType.LINK).icon("dashboard").tooltip(tooltip)
    return link.url(_address(uid, names)).keep_time(True).include_vars(_carries_all(uid, names))


def _unfolding(other: str) -> builders.DashboardLink:
    link = builders.DashboardLink(_AREAS[other]).type(models.DashboardLinkType.DASHBOARDS).tags([TAG, other, MENU_TAG])
    return link.as_dropdown(True).tooltip(f"The dashboards of the {_AREAS[other].lower()}").keep_time(True).include_vars(True)


def _carries_all(target: str, names: list[str]) -> bool:
    if target not in _OF_ONE:
        return True
    variable, own = _OF_ONE[target]
    return not any(_NAMES.get(each, each) == variable and each != own for each in names)


def _address(target: str, names: list[str]) -> str:
    if _carries_all(target, names):
        return f"/d/{target}"
    kept = [_NAMES.get(each, each) for each in names]
    kept = [each for each in kept if each != _OF_ONE[target][0]]
    return f"/d/{target}?" + "&".join(f"${{{each}:queryparam}}" for each in ["datasource", *kept])


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


def agent(in_table: bool = False) -> tuple[str, str]:
    return "Open the agent", f"/d/bot-agent?var-agent={_field('agent', in_table)}&{_COMMON}"


def slot(in_table: bool = False) -> tuple[str, str]:
    return "Open the slot", f"/d/bot-slots?var-slot={_field('slot', in_table)}&{_COMMON}"


def strategy(in_table: bool = False) -> tuple[str, str]:
    return "Open the strategy", f"/d/bot-strategies?var-strategy={_field('strategy', in_table)}&{_COMMON}"


def trader(in_table: bool = False) -> tuple[str, str]:
    return "Open the bot as a trader", f"/d/bot-trader?var-bot={_field('bot', in_table)}&{_COMMON}"


def board(uid: str) -> tuple[str, str]:
    return f"Open {name(uid)}", f"/d/{uid}?{_COMMON}"


def to(uid: str):
    """A link of a panel to a dashboard as a whole."""
    return lambda _in_table: board(uid)


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
