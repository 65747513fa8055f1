"""The start page: the areas that operators know, each with its state and the way to it."""

from kit import Board, Column, Q, latest, of_bot, stat, table
from kit import limits, links

from . import shared
from .. import shared as suite

HEARD = "bot:bot_last_heard_timestamp_seconds:max"
# Of all accounts by the bot's own word, or of the only one that it tells of: parts and a total do not add up.
_TOLD = latest("trader_account_value_usd", "exchange", "account")
_ALL = latest("trader_account_value_usd", only=('exchange="all"',))
ACCOUNT = f"{_ALL} or (sum by (bot) ({_TOLD}) and count by (bot) ({_TOLD}) == 1)"
FIRING = 'alertstate="firing"'
EVERYBODY = {"whose": ""}


def board() -> Board:
    b = Board(
        links.START, "The way to everything: thirteen areas, each with its state; what fires, and which bots are heard. A tile opens "
        "its dashboard.", names=["bot"], since="now-6h", refresh="10s",
    )
    _exchanges(b)
    _bots(b)
    _watch(b)
    _lists(b)
    return b


def _tile(title: str, uid: str, text: str, expr: str, width: int, unit: str = "none", **more):
    shown = Q(expr, more.pop("legend", ""))
    more.setdefault("background", True)
    return stat(title, text, shown, unit=unit, width=width, link=links.to(uid), **more)


def _none(word: str) -> dict:
    """A word for none at all."""
    return {"states": {0: (word, limits.GOOD)}}


def _exchanges(b: Board) -> None:
    streams = "venue:exchange_public_stream_up:min"
    unpriced = "count(max by (exchange, account, asset) (exchange_unpriced_balance))"
    rights = 'sum(max by (exchange, account) (exchange_api_key_permission{permission="withdraw"}))'
    b.row("Exchanges")
    b.add(
        _tile("Overview", "exchange-overview", "Venues whose prices do not come.", shared.none_or(f"{streams} == 0", streams), 5,
              "suffix:without prices", limit=limits.ANY_IS_CRITICAL, **_none("all venues well")),
        _tile("Operations", "exchange-operations", "Exposure of the account where it is highest. The alert begins at 90 %.",
              "max(account:exchange_exposure:ratio)", 5, "percentunit", decimals=1, limit=limits.EXPOSURE),
        _tile("Treasury", "exchange-treasury", "How far the total is below its peak of 30 days.",
              "suite:exchange_equity_drawdown:ratio_30d", 5, "percentunit", decimals=2, limit=limits.DRAWDOWN),
        _tile("Wallet", "exchange-wallet", "Assets without a price: they are in no figure.",
              f"{unpriced} or count(account:exchange_equity:current) * 0", 5, "suffix:without a price",
              limit=limits.ANY_IS_WARNING, **_none("everything priced")),
        _tile("Audit", "exchange-keys-audit", "Keys that may withdraw. A monitoring key should read and no more.", rights, 4,
              "suffix:may withdraw", limit=limits.ANY_IS_CRITICAL, **_none("no key may withdraw")),
    )


def _bots(b: Board) -> None:
    status, running = latest("bot_slot_status", *shared.SLOT), latest("agent_running", "agent")
    b.row("Bots")
    b.add(
        _tile("Slots", "bot-slots", "Slots that do not trade.", shared.none_or(f"{status} == 0", status), 6, "suffix:do not trade",
              limit=limits.ANY_IS_WARNING, nothing="no bot tells", **_none("all trade")),
        _tile("Strategies", "bot-strategies", "Profit of all slots since each was opened.",
              f"sum({latest('bot_slot_pnl_usd', *shared.SLOT)})", 6, "currencyUSD", decimals=2, limit=limits.SIGNED, background=False,
              nothing="no bot tells"),
        _tile("AI", "bot-agents", "Agents that stand still.", shared.none_or(f"{running} == 0", running), 6, "suffix:stand still",
              limit=limits.ANY_IS_WARNING, nothing="no bot tells", **_none("all run")),
        _tile("Orchestration", "bot-tasks", "Tasks that failed over those that ended, in fifteen minutes, of the worst bot. The alert "
              "begins at 10 %.", f"max({of_bot('bot:task_failure:ratio_increase15m')})", 6, "percentunit", decimals=1,
              limit=limits.TASK_FAILURES, nothing="no bot tells"),
    )


def _watch(b: Board) -> None:
    errors = "sum(increase(exchange_errors_total[5m]))"
    fired = "count(count by (alertname, exchange, account, symbol, bot, instance) " \
            f"(last_over_time(ALERTS{{{FIRING},{suite.NOT_WATCHDOG}}}[1d])))"
    b.row("The watch")
    b.add(
        suite.alarm_chain(width=4),
        _tile("Alerts", "exchange-alerts", "Critical alerts that fire: somebody has to act now.",
              suite.count_alerts(FIRING, 'severity="critical"', **EVERYBODY), 5, "suffix:critical", limit=limits.ANY_IS_CRITICAL,
              **_none("nothing critical")),
        _tile("Controls", "bot-controls", "Scrape targets that do not answer; silences are there, too.",
              "count(up == 0) or count(up) * 0", 5, "suffix:targets down", limit=limits.ANY_IS_WARNING, **_none("all targets up")),
        _tile("Logs", "bot-logs", "Errors of the exporters in five minutes.", errors, 5, "suffix:errors in 5 min", decimals=0,
              limit=limits.ANY_IS_WARNING, **_none("no errors")),
        _tile("History", "bot-history", "Alerts that fired within a day.", f"{fired} or max({suite.ALIVE}) * 0", 5,
              "suffix:alerts in 24 h", limit=limits.above(good="blue"), **_none("a quiet day")),
    )


def _lists(b: Board) -> None:
    b.row("Now")
    b.add(
        suite.alert_table("What fires", "Firing alerts of venues, machines and bots. The alert's name opens its runbook. Nothing here means "
                          "that nothing fires only while Alerting is alive.", "firing", **EVERYBODY, width=14, height=10,
                          nothing="nothing fires, as far as Alerting is alive"),
        table("Bots", "Which were heard when (posted, or scraped directly), and what fires about them. The alert BotSilent begins at 5 min.",
              ["bot"], Column("heard", f"time() - last_over_time({of_bot(HEARD)}[6h])", "s", limits.BOT_SILENT, 0),
              Column("account, $", ACCOUNT, "locale", decimals=2),
              Column("slots trading", f"sum by (bot) ({latest('bot_slot_status', *shared.SLOT)})", "none"),
              Column("agents running", f"sum by (bot) ({latest('agent_running', 'agent')})", "none"),
              Column("alerts", f'count by (bot) (ALERTS{{{FIRING},bot!=""}})', "none", limits.ANY_IS_CRITICAL),
              width=10, height=10, sort="bot", descending=False, link={"bot": [links.trader]}, nothing="no bot tells anything"),
    )
