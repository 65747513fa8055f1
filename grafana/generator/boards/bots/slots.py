"""Slots: what each does with its money, their timeline, and the cascade of profit between them."""

from kit import Board, Column, Q, bars, happened, heatmap, history, latest, of_bot, pace, quantile, rise, said, series, stat, states, table
from kit import limits, links

from . import shared

NAME = "{{bot}} {{slot}}"
# What says no more of a slot than its name.
ONE = ('slot=~"$slot"',)


def board() -> Board:
    b = Board(
        "bot-slots", "Slots of the bots: status and state over time, money, drawdown, trades, and the cascade between them.",
        names=["bot", "bot_exchange", "strategy", "slot"], since="now-6h", refresh="10s",
    )
    _now(b)
    _timeline(b)
    _money(b)
    _cascade(b)
    return b


def _of(name: str) -> str:
    return latest(name, *shared.SLOT, only=shared.OF_SLOT)


def _now(b: Board) -> None:
    status = _of("bot_slot_status")
    b.row("Now")
    b.add(
        stat("Slots that trade", "By each bot's own count.", Q(latest("bot_slots_active"), "{{bot}}"), unit="none", width=4,
             named=True),
        stat("Slots that do not", "Of the chosen ones. The alert BotSlotInactive names them.",
             Q(shared.none_or(f"{status} == 0", status)), unit="none", width=4, limit=limits.ANY_IS_WARNING, background=True),
        stat("Money in slots", "Given to the chosen slots.", Q(f"sum({_of('bot_slot_allocation_usd')})"), unit="currencyUSD",
             decimals=2, width=4, spark=True),
        stat("Profit of the slots", "Since each was opened, of the chosen ones.", Q(f"sum({_of('bot_slot_pnl_usd')})"),
             unit="currencyUSD", decimals=2, width=4, limit=limits.SIGNED, spark=True),
        stat("Deepest drawdown", "Of the chosen slots. The alert BotSlotDrawdownHigh begins at 15 %.",
             Q(f"max({_of('bot_slot_drawdown_pct')})"), unit="percent", decimals=1, width=4, limit=limits.SLOT_DRAWDOWN,
             background=True),
        stat("Cycles a minute", "Of each bot's main loop, over five minutes.",
             Q(f"60 * {pace('bot_cycles_completed_total', window='5m')}", "{{bot}}"), unit="none", decimals=1, width=4,
             named=True),
    )
    b.add(
        table("Slots", "What each bot says of its slots. Return is the profit over the money given.", ["bot", *shared.SLOT],
              Column("status", _of("bot_slot_status"), states=shared.TRADES),
              Column("money, $", _of("bot_slot_allocation_usd"), "locale", decimals=2),
              Column("profit, $", _of("bot_slot_pnl_usd"), "locale", limits.SIGNED, 2),
              Column("return", f"{_of('bot_slot_pnl_usd')} / ({_of('bot_slot_allocation_usd')} > 0)", "percentunit",
                     limits.SIGNED, 2),
              Column("drawdown", _of("bot_slot_drawdown_pct"), "percent", limits.SLOT_DRAWDOWN, 1),
              Column("win rate", _of("bot_slot_win_rate"), "percentunit", decimals=0),
              Column("trades in 1 h", rise("bot_slot_trades_total", *shared.SLOT, window="1h", only=shared.OF_SLOT), "none",
                     decimals=0),
              width=24, height=9, sort="slot", descending=False, nothing="no bot tells of slots",
              link={"bot": [links.trader], "slot": [links.slot], "exchange": [links.venue], "strategy": [links.strategy]}),
    )


def _timeline(b: Board) -> None:
    b.row("Timeline")
    b.add(
        states("Status over time", "Whether each slot traded. A lane is empty while its bot is silent.",
               Q(_of("bot_slot_status"), NAME), words=shared.TRADES, width=12, height=9, link=links.slot),
        history("State over time", "A lane for each slot and state, coloured while the slot was in it.",
                Q(f"{latest('slot_state', 'slot', 'state', only=ONE)} == 1", NAME + ": {{state}}"), word="so",
                color="blue", width=12, height=9, link=links.slot),
        series("Changes of state", "How often slots went into each state. Many in a short time: something flaps.",
               Q(rise("slot_state_changes_total", "slot", "state", only=ONE), NAME + " to {{state}}"),
               unit="short", width=12, bars_of=True, stacked=True, minimum=0, link=links.slot),
        series("Trades a minute", "Of each slot, over five minutes.",
               Q(f"60 * {pace('bot_slot_trades_total', *shared.SLOT, window='5m', only=shared.OF_SLOT)}", NAME), unit="none",
               width=12, stacked=True, minimum=0, link=links.slot),
    )


def _money(b: Board) -> None:
    b.row("Money")
    for title, text, name, unit, more in (
        ("Profit over time", "Since the slot was opened.", "bot_slot_pnl_usd", "currencyUSD", {}),
        ("Drawdown over time", "Below the slot's own peak. The alert BotSlotDrawdownHigh begins at 15 %.", "bot_slot_drawdown_pct",
         "percent", {"limit": limits.SLOT_DRAWDOWN, "minimum": 0}),
        ("Money over time", "What each slot was given.", "bot_slot_allocation_usd", "currencyUSD", {"stacked": True, "minimum": 0}),
        ("Win rate over time", "Winning trades over all trades of the slot.", "bot_slot_win_rate", "percentunit",
         {"minimum": 0, "maximum": 1}),
    ):
        b.add(series(title, text, Q(_of(name), NAME), unit=unit, width=12, link=links.slot, **more))


def _cascade(b: Board) -> None:
    b.row("Cascade of profit between slots")
    amount = "bot_cascade_transfer_amount_usd"
    b.add(
        bars("Transfers", "From slot to slot, in the chosen time range.",
             Q(happened("bot_cascade_transfers_total", "from_slot", "to_slot"), "{{bot}} {{from_slot}} to {{to_slot}}"),
             unit="none", decimals=0, width=6),
        series("Transfers over time", "The alert BotCascadeTooFrequent begins above 10 in 10 min; BotCascadeStalled, at none in 6 h.",
               Q(of_bot("bot:bot_cascade_transfers:increase10m"), "{{bot}}, in 10 min"),
               Q(of_bot("bot:bot_cascade_transfers:increase6h"), "{{bot}}, in 6 h"), unit="short", width=6, minimum=0,
               limit=limits.CASCADE),
        series("Size of transfers", "Half of them, and 95 of 100, are smaller; of the last hour.",
               Q(quantile(0.5, amount, window="1h"), "{{bot}} p50"), Q(quantile(0.95, amount, window="1h"), "{{bot}} p95"),
               unit="currencyUSD", width=6, minimum=0, nothing=shared.NONE_TOLD),
        heatmap("Size of transfers, all of it", "How many transfers were of which size, in dollars.",
                Q(f"sum by (le) (increase({said(f'{amount}_bucket')}[$__rate_interval]))", "{{le}}"), unit="currencyUSD",
                width=6),
    )
