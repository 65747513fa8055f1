"""One symbol over all venues."""

from kit import Board, Column, Q, bars, of_symbol, raw, recorded, series, stat, table
from kit import limits, links

from . import shared

SYMBOL = 'symbol=~"$symbol"'
VENUES = ("binance", "kucoin", "bybit", "coinbase", "okx")


def board() -> Board:
    b = Board(
        "exchange-symbol", "One symbol in depth over all venues: price, bid and ask, volume, lag, deviation.",
        names=["job", "instance", "exchange", "main_symbol"], since="now-3h", refresh="10s",
    )
    b.row("Now")
    b.add(
        stat("Best bid", "The highest over all venues.", Q(f"symbol:exchange_best_bid_price:max{{{SYMBOL}}}", "{{market}}"),
             unit="none", width=4, spark=True),
        stat("Best ask", "The lowest over all venues.", Q(f"symbol:exchange_best_ask_price:min{{{SYMBOL}}}", "{{market}}"),
             unit="none", width=4, spark=True),
        stat("Spread between venues", "Best bid over best ask, less 1. Above zero one could buy on one venue and sell on "
             "another, before fees.", Q(f"symbol:exchange_venue_spread:ratio{{{SYMBOL}}}", "{{market}}"), unit="percentunit",
             decimals=4, width=4, limit=limits.above(0, good="text"), spark=True),
        stat("Furthest off", "The largest distance of a venue from the median of the others. The alert ExchangePriceDeviation "
             "begins at 1 %.", Q(f"max(abs({recorded('venue_symbol:exchange_mid_price_deviation:ratio', SYMBOL)}))"),
             unit="percentunit", decimals=4, width=4, limit=limits.above(critical=0.01)),
        stat("Change in 24 h", "By each venue's own word.",
             Q(f"max by (exchange) ({raw('exchange_price_change_24h_ratio', SYMBOL)})", "{{exchange}}"), unit="percentunit",
             decimals=2, width=8, limit=limits.SIGNED, named=True, link=links.venue),
    )
    each = "max by (exchange, market)"
    b.add(
        table("By venue", "Age is since the exporter last heard of the symbol.", ["exchange", "market"],
              Column("bid", f"{each} ({raw('exchange_best_bid_price', SYMBOL)})"),
              Column("ask", f"{each} ({raw('exchange_best_ask_price', SYMBOL)})"),
              Column("last", f"{each} ({raw('exchange_last_price', SYMBOL)})"),
              Column("low 24 h", f"{each} ({raw('exchange_low_24h_price', SYMBOL)})"),
              Column("high 24 h", f"{each} ({raw('exchange_high_24h_price', SYMBOL)})"),
              Column("off the others", f"{each} ({recorded('venue_symbol:exchange_mid_price_deviation:ratio', SYMBOL)})",
                     "percentunit", limits.DEVIATION, 4),
              Column("volume 24 h", f"{each} ({raw('exchange_volume_24h_base', SYMBOL)})", "short", decimals=1),
              Column("age", f"time() - {each} ({raw('exchange_ticker_last_update_timestamp_seconds', SYMBOL)})", "s",
                     decimals=0),
              width=24, height=7, sort="exchange", descending=False, link={"exchange": [links.venue, links.health]}),
    )
    _prices(b)
    _quality(b)
    return b


def _prices(b: Board) -> None:
    # What a quote currency is worth in dollars; the dollar itself is 1.
    dollars = (
        'label_replace(asset:exchange_stablecoin_price_usd:median, "quote", "$1", "asset", "(.+)") '
        'or label_replace(vector(1), "quote", "USD", "", "")'
    )
    info = raw("exchange_symbol_info")
    names = f"max by (exchange, market, symbol, base, quote) ({info}) and on (base) max by (base) " \
            f"({raw('exchange_symbol_info', SYMBOL)})"
    same_coin = (
        f"{recorded('venue_symbol:exchange_mid_price:current')} * on (exchange, market, symbol) group_left (base, quote) "
        f"({names}) * on (quote) group_left () max by (quote) ({dollars})"
    )
    b.row("Price")
    b.add(
        shared.mid_price(SYMBOL, width=12, height=10),
        series("The coin against every dollar", "The same coin in USD, USDT, USDC and FDUSD on every venue, all in dollars by "
               "the price of the stablecoin: so that venues without this very symbol compare, too.",
               Q(same_coin, "{{exchange}} {{symbol}}"), unit="currencyUSD", width=12, height=10, link=links.venue),
        series("Bid and ask", "Top of the book of each venue.",
               Q(f"max by (exchange) ({raw('exchange_best_bid_price', SYMBOL)})", "{{exchange}} bid"),
               Q(f"max by (exchange) ({raw('exchange_best_ask_price', SYMBOL)})", "{{exchange}} ask"), unit="none", width=12,
               height=10, link=links.venue),
        series("Off the others' median", "Each venue against the median of the others. The alert begins at 1 % to either side.",
               Q(recorded("venue_symbol:exchange_mid_price_deviation:ratio", SYMBOL), "{{exchange}}"), unit="percentunit",
               decimals=4, width=12, height=10, limit=limits.DEVIATION, link=links.venue),
    )


def _quality(b: Board) -> None:
    lag = "\nor ".join(f"max by (exchange) ({raw(f'{venue}_latency_seconds', SYMBOL)})" for venue in VENUES)
    b.row("Book, volume, lag")
    b.add(
        series("Book spread", "Ask over bid, less 1.", Q(recorded("venue_symbol:exchange_book_spread:ratio", SYMBOL),
                                                         "{{exchange}}"), unit="percentunit", decimals=4, width=8, minimum=0,
               link=links.venue),
        bars("Volume in 24 h", "In base currency.", Q(f"sum by (exchange) ({of_symbol('exchange_volume_24h_base', SYMBOL)})",
                                                      "{{exchange}}"), unit="short", width=8, decimals=1, link=links.venue),
        series("Lag of the last update", "From the venue's event to its receipt. These series have the names of the older "
               "dashboards, and are there unless --metrics.compat=false. The alert on lag begins at 2 s over all symbols.",
               Q(lag, "{{exchange}}"), unit="s", width=8, limit=limits.EVENT_LAG, link=links.health),
    )
