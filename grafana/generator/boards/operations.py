"""Orders, executions, fees, and positions."""

from kit import Board, Column, Q, account, bars, moved, recorded, series, stat, table, told
from kit import limits, links

SYMBOL = 'symbol=~"$symbol"'
NAME = "{{exchange}} {{account}}"


def board() -> Board:
    b = Board(
        "exchange-operations", "Orders, executions, fees, maker share, positions, leverage, distance to liquidation.",
        names=["job", "instance", "exchange", "account"], since="now-6h", refresh="10s",
    )
    _now(b)
    _positions(b)
    _orders(b)
    _fees(b)
    return b


def _rec(name: str) -> str:
    return recorded(name, of_account=True)


def _now(b: Board) -> None:
    b.row("Now")
    b.add(
        stat("Executions a minute", "Over five minutes.", Q(f"sum({_rec('account:exchange_fills_per_minute:rate5m')})"),
             unit="none", decimals=1, width=4, spark=True),
        stat("Open orders", "On all markets.", Q(f"sum({told('exchange_open_orders')})"), unit="none", width=4, spark=True),
        stat("Open positions", "On all markets.", Q(f"sum({told('exchange_open_positions')})"), unit="none", width=4),
        stat("Unrealised profit", "Of all open positions.", Q(f"sum({told('exchange_position_unrealized_pnl_usdt')})"),
             unit="suffix:USDT", decimals=2, width=4, limit=limits.SIGNED),
        stat("Nearest liquidation", "How far the mark price is from the liquidation price, where it is nearest. Alerts begin at "
             "20 % and 10 %.", Q(f"min({_rec('account_symbol:exchange_liquidation_distance:ratio')})"), unit="percentunit",
             decimals=1, width=4, limit=limits.LIQUIDATION, background=True),
        stat("Highest exposure", "Value of positions against equity. The alert begins at 90 %.",
             Q(f"max({_rec('account:exchange_exposure:ratio')})"), unit="percentunit", decimals=1, width=4,
             limit=limits.EXPOSURE, background=True),
    )


def _positions(b: Board) -> None:
    by = ["exchange", "account", "market", "symbol", "side"]
    key = f"max by ({', '.join(by)})"
    b.row("Positions")
    b.add(
        table("Positions", "Distance is of the mark price to the liquidation price; empty where the venue names none.", by,
              Column("value, USDT", f"{key} ({account('exchange_position_value_usdt')})", "locale", decimals=2),
              Column("quantity", f"{key} ({account('exchange_position_quantity')})"),
              Column("profit, USDT", f"{key} ({told('exchange_position_unrealized_pnl_usdt')})", "locale", limits.SIGNED, 2),
              Column("leverage", f"{key} ({account('exchange_position_leverage_ratio')})", "suffix:x", decimals=1),
              Column("liquidation at", f"{key} ({account('exchange_position_liquidation_price')})"),
              Column("distance", f"{key} ({_rec('account_symbol:exchange_liquidation_distance:ratio')})", "percentunit",
                     limits.LIQUIDATION, 1),
              width=24, height=9, sort="value, USDT", link={"exchange": [links.venue], "symbol": [links.symbol]},
              nothing="no positions, as far as the accounts tell"),
        series("Exposure", "Value of positions against equity. The alert ExchangeExposureHigh begins at 90 %.",
               Q(_rec("account:exchange_exposure:ratio"), NAME), unit="percentunit", width=8, limit=limits.EXPOSURE, minimum=0,
               link=links.venue),
        series("Distance to liquidation", "Alerts begin at 20 % and 10 %.",
               Q(_rec("account_symbol:exchange_liquidation_distance:ratio"), NAME + " {{symbol}} {{side}}"),
               unit="percentunit", width=8, limit=limits.LIQUIDATION, minimum=0, link=links.symbol),
        series("Unrealised profit by position", "In USDT.",
               Q(f"sum by (exchange, account, symbol, side) ({told('exchange_position_unrealized_pnl_usdt')})",
                 NAME + " {{symbol}} {{side}}"), unit="suffix:USDT", width=8, link=links.symbol),
    )


def _orders(b: Board) -> None:
    b.row("Orders and executions")
    b.add(
        series("Orders by outcome", "Seen on the private streams.",
               Q(f"sum by (exchange, status) ({moved('increase', 'exchange_orders_total', '$__rate_interval')})",
                 "{{exchange}} {{status}}"), unit="short", width=8, bars_of=True, minimum=0, link=links.venue),
        series("Executions a minute, over time", "Over five minutes.", Q(_rec("account:exchange_fills_per_minute:rate5m"), NAME),
               unit="none", width=8, minimum=0, link=links.venue),
        series("Open orders by market", "As the venues tell them.", Q(f"sum by (exchange, account, market) ({told('exchange_open_orders')})",
                                              NAME + " {{market}}"), unit="none", width=8, minimum=0, steps=True,
               decimals=0, link=links.venue),
        bars("Executions by symbol", "In the chosen time range, the ten most.",
             Q(f"topk(10, sum by (symbol) ({moved('increase', 'exchange_fills_total', '$__range')}))", "{{symbol}}"),
             unit="short", decimals=0, width=8, link=links.symbol),
        bars("Volume by symbol", "In the chosen time range, in each symbol's quote currency, the ten most.",
             Q(f"topk(10, sum by (symbol) ({moved('increase', 'exchange_fill_volume_quote_total', '$__range')}))", "{{symbol}}"),
             unit="short", decimals=1, width=8, link=links.symbol),
        series("Bought and sold", "Executions by side, a second.",
               Q(f"sum by (side) ({moved('rate', 'exchange_fills_total', '$__rate_interval')})", "{{side}}"), unit="ops",
               width=8, minimum=0),
    )


def _fees(b: Board) -> None:
    b.row("Fees")
    b.add(
        series("Maker share", "Share of executions as maker over a day.",
               Q(_rec("account:exchange_maker_fills:ratio_rate1d"), NAME), unit="percentunit", width=8, minimum=0, maximum=1,
               link=links.venue),
        series("Fees an hour", "All fees in USDT, at the pace of the last hour. Unknown where a fee was paid in an asset without a "
               "price.", Q(f"3600 * {_rec('account:exchange_fees_usdt:rate1h')}", NAME), unit="suffix:USDT", decimals=2,
               width=8, link=links.venue),
        series("Fees for each volume", "Fees over volume, over a day.",
               Q(_rec("account:exchange_fee_per_volume:ratio_rate1d"), NAME), unit="percentunit", decimals=4, width=8,
               link=links.venue),
        bars("Fees paid by asset", "In the chosen time range, in units of the asset.",
             Q(f"sum by (exchange, asset) ({moved('increase', 'exchange_fees_paid_total', '$__range')})",
               "{{exchange}} {{asset}}"), unit="none", decimals=6, width=12, link=links.venue),
        bars("Rebates by asset", "In the chosen time range, in units of the asset.",
             Q(f"sum by (exchange, asset) ({moved('increase', 'exchange_fee_rebates_total', '$__range')})",
               "{{exchange}} {{asset}}"), unit="none", decimals=6, width=12, link=links.venue),
    )
