"""A trader: the ten panels, with the truth of the exchange beside the bot's claim."""

from kit import Board, Column, Q, bars, happened, history, latest, of_bot, quantile, rise, series, stat, table
from kit import limits, links

from . import shared

CLAIM = "{{bot}} {{exchange}} {{account}}"
TRUTH = "exchange: {{exchange}} {{account}}"
OF_ACCOUNT = 'source="exchange",exchange=~"($exchange)|all",account=~"$account"'
BY = ["bot", "exchange", "account", "claim"]


def board() -> Board:
    b = Board(
        "bot-trader", "A trader's account value, profit, positions, exposure, drawdown, trades, rejections, latency, breaker and "
        "cycle: what the bot claims, and what the exchange says.",
        names=["bot", "told_exchange", "told_account"], since="now-6h", refresh="10s",
    )
    _ten(b)
    _beside(b)
    _orders(b)
    return b


def _truth(name: str, *labels: str) -> str:
    return f"max by ({', '.join(('exchange', 'account', *labels))}) ({name}{{{OF_ACCOUNT}}})"


def _both(name: str) -> tuple[Q, Q]:
    """What bots claim, of one account or of all, and what the exchange says: both, so that a trader without a bot has it too."""
    return Q(latest(name, "exchange", "account"), CLAIM), Q(_truth(name), TRUTH)


def _compared(what: str) -> str:
    return f"max by ({', '.join(BY)}) ({of_bot(f'bot:trader_{what}')})"


def _ten(b: Board) -> None:
    b.row("What the bot claims, and what the exchange says")
    b.add(
        stat("Account value", "By the bot's own word, and by the exchange.", *_both("trader_account_value_usd"), unit="currencyUSD",
             decimals=2, width=8, height=6, named=True),
        stat("Daily P&L", "Since midnight UTC. By the exchange, deposits and withdrawals count, too, and it is known from the first midnight on "
             "that this Prometheus saw.",
             *_both("trader_daily_pnl_usd"), unit="currencyUSD", decimals=2, width=8, height=6, named=True, limit=limits.SIGNED),
        stat("Open positions", "How many.", *_both("trader_open_positions"), unit="none", width=8, height=6, named=True),
        bars("Exposure", "Value of all positions over that of the account. Up to 70 % is well; the alert TraderExposureHigh begins at "
             "90 %. Above 100 % there is leverage.", *_both("trader_exposure_pct"), unit="percent", decimals=1, width=8,
             limit=limits.TRADER_EXPOSURE, maximum=100),
        series("Drawdown", "Largest fall from a peak. The alert TraderDrawdownHigh begins at 15 %.",
               *_both("trader_max_drawdown_pct"), unit="percent", width=8, limit=limits.TRADER_DRAWDOWN, minimum=0),
        series("Trades", "Closed in five minutes, by outcome.",
               Q(rise("trader_trades_total", "outcome", window="5m"), "{{bot}} {{outcome}}"), unit="short", width=8, stacked=True,
               minimum=0),
        series("Rejections by reason", "Orders that risk control rejected, in five minutes. The alert BotRiskBlocksHigh begins above 10 in "
               "15 min.",
               Q(rise("trader_risk_rejections_total", "reason", window="5m"), "{{bot}} {{reason}}"), unit="short", width=6,
               stacked=True, minimum=0, nothing=shared.NONE_TOLD),
        series("API latency, p95", "Round trip to the exchange, over five minutes: the bot's, and the exporter's.",
               Q(quantile(0.95, "trader_api_latency_seconds"), "{{bot}}"),
               Q("histogram_quantile(0.95, sum by (exchange, account, le) "
                 f"(rate(trader_api_latency_seconds_bucket{{{OF_ACCOUNT}}}[5m])))", TRUTH), unit="s", width=6, minimum=0),
        bars("Breaker trips", "Of the circuit breaker, by reason, in the chosen time range. Any is an alert: TraderCircuitBreakerTripped.",
             Q(happened("trader_circuit_breaker_trips_total", "reason"), "{{bot}} {{reason}}"), unit="none", decimals=0, width=6,
             limit=limits.ANY_IS_CRITICAL),
        shared.p95("Cycle, p95", "Time of one cycle of the trader, over five minutes.", "trader_cycle_duration_seconds",
                   legend="{{bot}}", width=6),
    )


def _beside(b: Board) -> None:
    b.row("Do they agree?")
    b.add(
        table("Side by side", "What each bot claims that can be compared, beside the exchange's word. Tolerated is 1 % of the account's "
              "value, 5 points of exposure, no position; where it is used up, at 100 %, the alert BotDisagreesWithExchange begins after 5 "
              "min. A claim that names no account is compared only where there is but one.", BY,
              Column("the bot says", _compared("claim:current"), "locale", decimals=2),
              Column("the exchange says", _compared("truth:current"), "locale", decimals=2),
              Column("difference", _compared("disagreement:difference"), "locale", decimals=2),
              Column("of what is tolerated", _compared("disagreement:ratio"), "percentunit", limits.DISAGREEMENT, 0),
              width=14, height=9, sort="of what is tolerated", nothing="nothing can be compared",
              link={"bot": [links.trader], "exchange": [links.venue]}),
        history("When they disagreed", "A lane for each claim, coloured while it was further from the exchange's word than is tolerated.",
                Q(f"({_compared('disagreement:ratio')} > bool 1) > 0", "{{bot}} {{exchange}} {{account}} {{claim}}"), word="disagreed",
                color="red", width=10, height=9, nothing="never, as far as they can be compared"),
        series("Account value over time", "By the bot's own word, and by the exchange.", *_both("trader_account_value_usd"),
               unit="currencyUSD", width=12, height=9),
        series("Daily P&L over time", "Since midnight UTC.", *_both("trader_daily_pnl_usd"), unit="currencyUSD", width=12, height=9),
        series("Exposure over time", "The alert TraderExposureHigh begins at 90 %.", *_both("trader_exposure_pct"), unit="percent",
               width=12, height=9, minimum=0, limit=limits.TRADER_EXPOSURE),
        series("Open positions over time", "How many.", *_both("trader_open_positions"), unit="none", width=12, height=9,
               minimum=0, steps=True),
    )


def _orders(b: Board) -> None:
    b.row("Orders, positions and data")
    b.add(
        series("Orders", "In five minutes.",
               *(Q(rise(f"trader_orders_{kind}_total", window="5m"), f"{{{{bot}}}} {word}")
                 for kind, word in (("placed", "placed"), ("filled", "filled"), ("canceled", "cancelled"))), unit="short", width=8,
               minimum=0),
        series("Orders by the exchange", "In five minutes, as far as the private stream tells: an order that fills at once was never new.",
               *(Q(f"sum by (exchange, account) (increase(trader_orders_{kind}_total{{{OF_ACCOUNT}}}[5m]))", f"{TRUTH} {word}")
                 for kind, word in (("placed", "placed"), ("filled", "filled"), ("canceled", "cancelled"))), unit="short", width=8,
               minimum=0),
        bars("Orders filled", "Over orders placed.", Q(latest("trader_order_fill_ratio"), "{{bot}}"), unit="percentunit", decimals=0,
             width=4, maximum=1),
        bars("Profit since the start", "Over the value then.", Q(latest("trader_pnl_pct"), "{{bot}}"), unit="percent", decimals=2,
             width=4, limit=limits.SIGNED, minimum=None),
        series("Positions by symbol", "Value of each, by the bot and by the exchange.",
               Q(latest("trader_position_value_usd", "symbol"), "{{bot}} {{symbol}}"),
               Q(_truth("trader_position_value_usd", "symbol"), TRUTH + " {{symbol}}"), unit="currencyUSD", width=6,
               link=links.symbol),
        series("API errors", "Requests that failed, in five minutes: the bot's, and the exporter's. The alert TraderApiErrorsHigh begins "
               "above 5 of a bot.", Q(of_bot("bot:trader_api_errors:increase5m"), CLAIM),
               Q(f"sum by (exchange, account) (increase(trader_api_errors_total{{{OF_ACCOUNT}}}[5m]))", TRUTH), unit="short", width=6,
               minimum=0, limit=limits.API_ERRORS),
        bars("API errors by endpoint", "Requests of the bot that failed, in the chosen time range.",
             Q(happened("trader_api_errors_total", "endpoint"), "{{bot}} {{endpoint}}"), unit="none", decimals=0, width=6,
             link=links.to("bot-logs")),
        series("Age of the data", "Of the oldest market data that is acted on. The alert TraderDataStale begins at 300 s.",
               *_both("trader_data_staleness_seconds"), unit="s", width=6, minimum=0, limit=limits.DATA_STALE),
    )
