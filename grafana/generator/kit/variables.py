"""The variables. The same names on all dashboards, so that links carry what was chosen."""

from collections.abc import Callable

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from .query import BOT_JOBS, DATASOURCE

ALL = models.VariableOption(selected=True, text="All", value="$__all")


def datasource() -> builders.DatasourceVariable:
    current = models.VariableOption(selected=True, text="Prometheus", value="prometheus")
    return (
        builders.DatasourceVariable("datasource").label("Data source").type("prometheus").current(current)
        .description("The Prometheus that scrapes the suite")
    )


def _query(name: str, label: str, query: str, help_text: str) -> builders.QueryVariable:
    return (
        builders.QueryVariable(name).label(label).description(help_text).datasource(DATASOURCE)
        .query({"query": query, "refId": f"variable-{name}", "qryType": 1}).definition(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC)
    )


def many(name: str, label: str, query: str, help_text: str, all_value: str = ".+") -> builders.QueryVariable:
    """Any number of values, at first all."""
    return _query(name, label, query, help_text).multi(True).include_all(True).all_value(all_value).current(ALL)


def one(name: str, label: str, query: str, help_text: str, first: str) -> builders.QueryVariable:
    """Exactly one value."""
    current = models.VariableOption(selected=True, text=first, value=first)
    return _query(name, label, query, help_text).multi(False).include_all(False).current(current)


_TARGETS = 'up{job=~"$job",instance=~"$instance",exchange!=""}'
_VENUE = 'job=~"$job",instance=~"$instance",exchange=~"$exchange"'
_OF_BOT = f'{BOT_JOBS},bot=~"$bot"'
_AGENT = f"label_values({{{_OF_BOT},agent!=\"\"}}, agent)"
# Rules tell of accounts what traders tell: the truth of the exchange.
_ACCOUNT_TOLD = 'trader_account_value_usd{source="exchange",exchange!="all"'

VARIABLES: dict[str, Callable[[], builders.QueryVariable]] = {
    "job": lambda: many("job", "Job", 'label_values(up{exchange!=""}, job)', "Scrape job of the exporter"),
    "instance": lambda: many(
        "instance", "Instance", 'label_values(up{job=~"$job",exchange!=""}, instance)', "Address of the exporter"),
    "exchange": lambda: many("exchange", "Venue", f"label_values({_TARGETS}, exchange)", "The exchanges to look at"),
    "venue": lambda: one("exchange", "Venue", f"label_values({_TARGETS}, exchange)", "The exchange to look at", "binance"),
    # Series of an account that was not named carry no such label: then the list is empty, and `.*` matches them.
    "account": lambda: many(
        "account", "Account", f"label_values(exchange_equity{{{_VENUE}}}, account)",
        "Accounts, where the exporters name theirs", ".*"),
    "symbol": lambda: many(
        "symbol", "Symbol", f"label_values(exchange_symbol_info{{{_VENUE}}}, symbol)", "The symbols to look at"),
    "main_symbol": lambda: one(
        "symbol", "Symbol", f"label_values(exchange_symbol_info{{{_VENUE}}}, symbol)", "The symbol to look at", "BTCUSDT"),
    "quote": lambda: one(
        "quote", "Quote", f"label_values(exchange_symbol_info{{{_VENUE}}}, quote)",
        "The currency that volumes are in: those in others cannot be compared", "USDT"),
    "asset": lambda: many(
        "asset", "Asset", f'label_values(exchange_balance{{{_VENUE},account=~"$account"}}, asset)', "The assets to look at"),
    "severity": lambda: many(
        "severity", "Severity", "label_values(ALERTS, severity)", "How urgent an alert is"),
    # What a bot tells may lack its name, which `.*` matches.
    "bot": lambda: many(
        "bot", "Bot", f'label_values({{{BOT_JOBS},bot!=""}}, bot)', "Bots that post to the gateway, or are scraped", ".*"),
    "slot": lambda: many("slot", "Slot", f"label_values(bot_slot_status{{{_OF_BOT}}}, slot)", "The slots to look at"),
    "strategy": lambda: many(
        "strategy", "Strategy", f"label_values(bot_slot_status{{{_OF_BOT}}}, strategy)", "The strategies to look at"),
    "bot_exchange": lambda: many(
        "exchange", "Venue", f'label_values({{{_OF_BOT},exchange!~"|all"}}, exchange)', "Venues, as the bots name them"),
    "agent": lambda: many("agent", "Agent", _AGENT, "The agents to look at"),
    "main_agent": lambda: one("agent", "Agent", _AGENT, "The agent to look at", "momentum"),
    "told_exchange": lambda: many(
        "exchange", "Venue", f"label_values({_ACCOUNT_TOLD}}}, exchange)", "Venues whose own figures stand beside the bots'"),
    "told_account": lambda: many(
        "account", "Account", f'label_values({_ACCOUNT_TOLD},exchange=~"$exchange"}}, account)',
        "Accounts whose own figures stand beside the bots'", ".*"),
    "host": lambda: many("host", "Host", "label_values(node_uname_info, instance)", "Machines with a node exporter"),
}
