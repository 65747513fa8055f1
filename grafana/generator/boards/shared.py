"""Expressions and panels that more than one dashboard shows."""

from kit import Column, Q, raw, recorded, series, stat, states, table, told
from kit import limits, links

OK, BAD, WORRY = limits.GOOD, limits.CRITICAL, limits.WARNING
# Of what is shown only where there is any.
NONE_TOLD = "none, as far as the exporters tell"
UP_DOWN = {0: ("down", BAD), 1: ("up", OK)}
YES_NO_BAD = {0: ("no", OK), 1: ("yes", BAD)}
YES_NO_GOOD = {0: ("no", BAD), 1: ("yes", OK)}

# The worst that is known of a venue. What answers, but says nothing about its stream, is unknown and not well.
VENUE_STATES = {
    0: ("exporter down", BAD), 1: ("no prices", BAD), 2: ("shut out", BAD), 3: ("maintenance", WORRY),
    4: ("account silent", WORRY), 5: ("well", OK), 6: ("unknown", limits.UNKNOWN),
}
VENUE_STATE = "\nor ".join((
    f"(min by (exchange) ({raw('up')}) == 0)",
    f"(min by (exchange) ({raw('exchange_connection_status', stream='public')}) == 0) + 1",
    f"(max by (exchange) ({raw('exchange_rate_limit_reset_timestamp_seconds')}) > time()) * 0 + 2",
    f"(min by (exchange) ({raw('exchange_system_status')}) == 0) + 3",
    f"(min by (exchange) ({raw('exchange_connection_status', stream='private')}) == 0) + 4",
    f"(min by (exchange) ({raw('exchange_connection_status', stream='public')}) == 1) + 4",
    f"(max by (exchange) ({raw('up')}) * 0 + 6)",
))

# Of the limits that venues report: the share that an exporter allows itself is there to be used up.
HEADROOM = recorded("venue_limit:exchange_rate_limit_headroom:ratio", 'limit!~".+_own_share"')

ALERT_LABELS = ["severity", "alertname", "exchange", "account", "symbol", "bot", "instance"]
_BY = ", ".join(ALERT_LABELS)
OF_VENUE = 'exchange=~"($exchange)|"'
# Watchdog fires always, so that its absence tells: then the alerts themselves are not known.
ALIVE = 'ALERTS{alertname="Watchdog",alertstate="firing"}'
NOT_WATCHDOG = 'alertname!="Watchdog"'


def count_alerts(*matchers: str, whose: str = OF_VENUE) -> str:
    """How many; none is only said while alerts are evaluated at all."""
    chosen = ",".join((NOT_WATCHDOG, *filter(None, (whose,)), *matchers))
    return f"count(ALERTS{{{chosen}}}) or max({ALIVE}) * 0"


def alert_table(
    title: str, description: str, state: str, *matchers: str, width: int, height: int, nothing: str, whose: str = OF_VENUE,
):
    """Alerts of a state, since when, and what to do."""
    chosen = ",".join((NOT_WATCHDOG, *filter(None, (whose,)), *matchers))
    since = (
        f"1000 * (max by ({_BY}) (ALERTS_FOR_STATE{{{chosen}}}) "
        f'and max by ({_BY}) (ALERTS{{alertstate="{state}",{chosen}}}))'
    )
    return table(
        title, description, ALERT_LABELS, Column("since", since, "dateTimeFromNow"), width=width, height=height,
        sort="severity", descending=False, link={"alertname": [links.runbook], "exchange": [links.venue, links.health],
                                                 "symbol": [links.symbol], "bot": [links.trader]}, nothing=nothing,
    )


def alarm_chain(width: int, height: int = 4):
    return stat(
        "Alerting", "Whether alerts are evaluated at all: the alert Watchdog fires always. If this is not alive, no "
        "other tile here about alerts can be believed.", Q(f"max({ALIVE})"), unit="none", width=width, height=height,
        states={1: ("alive", OK)}, background=True, nothing="dead or unknown",
    )


def venue_state(width: int, height: int = 4, link=links.venue):
    return stat(
        "State of each venue", "The worst that is known: exporter down, no prices (public stream), shut out (limited or "
        "banned), maintenance (by the venue's own word), account silent (private stream), well. Unknown is where an "
        "exporter runs and says nothing about its stream.", Q(VENUE_STATE, "{{exchange}}"), unit="none", width=width,
        height=height, states=VENUE_STATES, link=link, named=True, background=True,
    )


def streams(width: int, height: int = 8):
    return states(
        "Streams", "Whether each stream is open, subscribed, answering and carrying data. A lane is empty where nothing "
        "is known, as while the exporter is down.",
        Q(f"min by (exchange, stream) ({raw('exchange_connection_status')})", "{{exchange}} {{stream}}"),
        words=UP_DOWN, width=width, height=height, link=links.health,
    )


def event_lag(width: int, height: int = 8, quantile: str = "p95"):
    return series(
        f"Event lag, {quantile}", "From the venue's event to its receipt, corrected by the clock skew, over five minutes. "
        "The alert ExchangeEventLagHigh begins at 2 s in the 95th percentile.",
        Q(recorded(f"venue:exchange_event_lag_seconds:{quantile}_rate5m"), "{{exchange}} {{stream}}"),
        unit="s", width=width, height=height, limit=limits.EVENT_LAG, link=links.health,
    )


def mid_price(symbol: str, width: int, height: int = 8):
    return series(
        "Price by venue", "Middle of the book, else the last price. A line ends where the venue's connection died.",
        Q(recorded("venue_symbol:exchange_mid_price:current", symbol), "{{exchange}} {{symbol}}"),
        unit="none", width=width, height=height, link=links.venue,
    )


def equity(currency: str) -> str:
    return f'currency:exchange_equity:sum{{currency="{currency}"}}'


def equity_change(window: str) -> str:
    """As a share of what it was."""
    delta = f'currency:exchange_equity:delta_{window}{{currency="USDT"}}'
    return f"{delta} / ({equity('USDT')} - {delta})"


EQUITY_OF_VENUE = f"sum by (exchange) ({told('exchange_equity', currency='USDT')})"
