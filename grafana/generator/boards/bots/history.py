"""What became of it over days, and what happened when."""

from kit import Board, Q, happened, history as lanes, latest, rise, series, stat, states
from kit import limits, links

from . import shared
from .. import shared as suite


def board() -> Board:
    b = Board(
        "bot-history", "Days rather than minutes: value, profit, trades, decisions, what fired, what stopped, what ran.",
        names=["bot"], since="now-7d", refresh="1m",
    )
    _money(b)
    _work(b)
    _events(b)
    return b


def _money(b: Board) -> None:
    b.row("Money")
    b.add(
        series("Account value", "By the bots' own word. A hole is a time in which nothing was told.",
               Q(latest("trader_account_value_usd", "exchange", "account"), "{{bot}} {{exchange}} {{account}}"),
               Q(latest("portfolio_value_usd", "exchange", "account"), "{{bot}} {{exchange}} {{account}} portfolio"),
               unit="currencyUSD", width=8, height=9, link=links.trader),
        series("Equity of the suite", "All accounts of all venues by the exchanges' word, in USDT.",
               Q(suite.equity("USDT"), "USDT"), unit="suffix:USDT", width=8, height=9, link=links.to("exchange-treasury")),
        series("Profit of slots by strategy", "Since the slots were opened.",
               Q(f"sum by (bot, strategy) ({latest('bot_slot_pnl_usd', *shared.SLOT)})", "{{bot}} {{strategy}}"),
               unit="currencyUSD", width=8, height=9, link=links.strategy),
    )


def _work(b: Board) -> None:
    hour = "1h"
    b.row("Work, by the hour")
    b.add(
        series("Trades in an hour", "Of traders, slots and services.",
               Q(rise("trader_trades_total", window=hour), "{{bot}} trader"),
               Q(rise("bot_slot_trades_total", window=hour), "{{bot}} slots"),
               Q(rise("trades_executed_total", window=hour), "{{bot}} services"), unit="short", width=8, minimum=0),
        series("Decisions in an hour", "Of agents, and those that they approved together.",
               Q(rise("agent_decisions_total", window=hour), "{{bot}} decided"),
               Q(rise("agent_consensus_approved_total", window=hour), "{{bot}} approved"), unit="short", width=8, minimum=0),
        series("Tasks in an hour", "Split, and failed.", Q(rise("task_split_total", window=hour), "{{bot}} split"),
               Q(rise("task_failure_total", window=hour), "{{bot}} failed"), unit="short", width=8, minimum=0),
    )


def _events(b: Board) -> None:
    firing = 'alertstate="firing",scope="bot",bot=~"($bot)|"'
    rare = (
        ("Breaker trips", "Of circuit breakers, in the chosen time range.", "trader_circuit_breaker_trips_total", limits.ANY_IS_CRITICAL),
        ("Tasks given up", "For which no fallback was left, in the chosen time range.", "fallback_depth_exceeded_total",
         limits.ANY_IS_WARNING),
        ("Policy violations", "Of every severity, in the chosen time range.", "policy_violations_total", limits.ANY_IS_WARNING),
        ("Cascade transfers", "Of profit between slots, in the chosen time range.", "bot_cascade_transfers_total", limits.NONE),
        ("Changes of slots", "Of their state, in the chosen time range.", "slot_state_changes_total", limits.NONE),
    )
    b.row("What happened when")
    b.add(
        shared.emergency_stops(width=4),
        *(stat(title, text, Q(f"sum({happened(name)})"), unit="none", decimals=0, width=4, limit=limit,
               nothing=shared.NONE_TOLD) for title, text, name, limit in rare),
        lanes("Alerts about bots", "A lane for each alert and bot, coloured while it fired.",
              Q(f"max by (alertname, bot) (ALERTS{{{firing}}})", "{{alertname}} {{bot}}"), word="fired", color="red", width=24,
              height=10, nothing="none fired, as far as Alerting was alive"),
        states("Slots", "Whether each traded.", Q(latest("bot_slot_status", *shared.SLOT), "{{bot}} {{slot}}"), words=shared.TRADES,
               width=8, link=links.slot),
        states("Agents", "Whether each ran.", Q(latest("agent_running", "agent"), "{{bot}} {{agent}}"), words=shared.RUNS, width=8,
               link=links.agent),
        states("Services", "Each one's own word.", Q(latest("service_health_status", "service"), "{{bot}} {{service}}"),
               words=shared.WELL, width=8),
    )
