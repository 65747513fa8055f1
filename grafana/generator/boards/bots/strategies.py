"""Strategies: what each earns, at what risk, in which slots; and the signals that they act on."""

from kit import Board, Column, Q, bars, latest, pace, pie, rise, series, table
from kit import limits, links

from . import shared

NAME = "{{bot}} {{strategy}}"
BY = ("strategy",)


def board() -> Board:
    b = Board(
        "bot-strategies", "Strategies of the bots: profit, return, drawdown, win rate, trades, and their signals.",
        names=["bot", "bot_exchange", "strategy"], since="now-24h", refresh="30s",
    )
    _now(b)
    _history(b)
    _signals(b)
    return b


def _slots(name: str) -> str:
    return latest(name, *shared.SLOT, only=shared.OF_STRATEGY)


def _all(name: str, how: str = "sum") -> str:
    return f"{how} by (bot, strategy) ({_slots(name)})"


# Of what happened, each trade counts as one: slots that trade more weigh more.
_WON = ("sum by (bot, strategy) ({rate} * on (bot, slot, exchange, strategy) {pace}) "
        "/ (sum by (bot, strategy) ({pace}) > 0)")


def _return() -> str:
    return f"{_all('bot_slot_pnl_usd')} / ({_all('bot_slot_allocation_usd')} > 0)"


def _trades(window: str) -> str:
    return rise("bot_slot_trades_total", *BY, window=window, only=shared.OF_STRATEGY)


def _now(b: Board) -> None:
    won = _WON.format(rate=_slots("bot_slot_win_rate"),
                      pace=pace("bot_slot_trades_total", *shared.SLOT, window="1h", only=shared.OF_STRATEGY))
    b.row("Now")
    b.add(
        table("Strategies", "Over the slots of each. Return is the profit over the money given; drawdown is that of the worst "
              "slot; the win rate weighs each slot by its trades of the last hour.", ["bot", "strategy"],
              Column("slots", f"count by (bot, strategy) ({_slots('bot_slot_status')})", "none"),
              Column("trading", f"sum by (bot, strategy) ({_slots('bot_slot_status')})", "none"),
              Column("money, $", _all("bot_slot_allocation_usd"), "locale", decimals=2),
              Column("profit, $", _all("bot_slot_pnl_usd"), "locale", limits.SIGNED, 2),
              Column("return", _return(), "percentunit", limits.SIGNED, 2),
              Column("worst drawdown", _all("bot_slot_drawdown_pct", "max"), "percent", limits.SLOT_DRAWDOWN, 1),
              Column("win rate", won, "percentunit", decimals=0),
              Column("trades in 1 h", _trades("1h"), "none", decimals=0),
              width=16, height=9, sort="profit, $", nothing="no bot tells of strategies",
              link={"strategy": [links.strategy], "bot": [links.trader]}),
        pie("Money by strategy", "What the slots of each were given.",
            Q(f"sum by (strategy) ({_slots('bot_slot_allocation_usd')}) > 0", "{{strategy}}"), unit="currencyUSD", decimals=0,
            width=8, height=9, link=links.strategy),
    )


def _history(b: Board) -> None:
    b.row("History")
    b.add(
        series("Profit by strategy", "Since the slots were opened.", Q(_all("bot_slot_pnl_usd"), NAME), unit="currencyUSD",
               width=12, link=links.strategy),
        series("Return by strategy", "Profit over the money given.", Q(_return(), NAME), unit="percentunit", width=12,
               link=links.strategy),
        series("Worst drawdown by strategy", "Of the slot that is furthest below its peak. The alert BotSlotDrawdownHigh begins at "
               "15 %.", Q(_all("bot_slot_drawdown_pct", "max"), NAME), unit="percent", width=12, limit=limits.SLOT_DRAWDOWN,
               minimum=0, link=links.strategy),
        series("Trades in five minutes", "By strategy.", Q(_trades("5m"), NAME), unit="short", width=12, stacked=True, minimum=0,
               link=links.strategy),
        bars("Profit by venue", "Over the chosen slots, by the venue that they trade on.",
             Q(f"sum by (exchange) ({_slots('bot_slot_pnl_usd')})", "{{exchange}}"), unit="currencyUSD", decimals=2, width=12,
             limit=limits.SIGNED, minimum=None, link=links.venue),
        bars("Profit by slot", "The ten that earned most.",
             Q(f"topk(10, {_slots('bot_slot_pnl_usd')})", "{{bot}} {{slot}} {{strategy}}"), unit="currencyUSD", decimals=2,
             width=12, limit=limits.SIGNED, minimum=None, link=links.slot),
    )


def _signals(b: Board) -> None:
    signals = lambda label: rise("signals_generated_total", label, window="5m")  # noqa: E731
    b.row("Signals, of all strategies")
    b.add(
        series("Signals by type", "In five minutes.", Q(signals("type"), "{{bot}} {{type}}"), unit="short", width=12,
               stacked=True, minimum=0),
        series("Signals by model", "In five minutes, by the model that made them.", Q(signals("model"), "{{bot}} {{model}}"),
               unit="short", width=12, stacked=True, minimum=0),
    )
