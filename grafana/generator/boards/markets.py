"""Prices over the venues: who is best, who moves, who trades."""

from kit import Board, Column, Q, bars, of_symbol, pie, raw, recorded, series, table
from kit import limits, links

SYMBOL = 'symbol=~"$symbol"'
QUOTE = 'quote=~"$quote"'


def _in_quote(metric: str) -> str:
    """Only of symbols in the chosen quote currency: others cannot be added or compared."""
    info = f"max by (exchange, market, symbol, quote) ({raw('exchange_symbol_info', SYMBOL, QUOTE)})"
    return f"{of_symbol(metric, SYMBOL)} * on (exchange, market, symbol) group_left (quote) {info}"


def board() -> Board:
    b = Board(
        "exchange-markets", "Prices across venues, spreads, movers, volumes, top ten.",
        names=["job", "instance", "exchange", "quote", "symbol"], since="now-6h", refresh="10s",
    )
    change = f"max by (symbol) ({_in_quote('exchange_price_change_24h_ratio')})"
    volume = f"sum by (symbol) ({_in_quote('exchange_volume_24h_quote')})"
    b.row("Top ten")
    b.add(
        bars("Risen most in 24 h", "By the venue where it rose most; only symbols in the chosen quote currency.",
             Q(f"topk(10, {change})", "{{symbol}}"), unit="percentunit", decimals=2, width=8, height=10, limit=limits.SIGNED,
             minimum=None, link=links.symbol),
        bars("Fallen most in 24 h", "Only symbols in the chosen quote currency.",
             Q(f"bottomk(10, min by (symbol) ({_in_quote('exchange_price_change_24h_ratio')}))", "{{symbol}}"),
             unit="percentunit", decimals=2, width=8, height=10, limit=limits.SIGNED, minimum=None, link=links.symbol),
        bars("Traded most in 24 h", "Over the chosen venues, in the chosen quote currency.",
             Q(f"topk(10, {volume})", "{{symbol}}"), unit="short", decimals=2, width=8, height=10, link=links.symbol),
    )
    key = "max by (symbol, market)"
    b.row("Across venues")
    b.add(
        table("Best prices", "The best bid and ask over all venues, whatever is chosen above. The spread is best bid over best "
              "ask, less 1: where it is above zero one could buy on one venue and sell on another, before fees.",
              ["market", "symbol"],
              Column("best bid", f"symbol:exchange_best_bid_price:max{{{SYMBOL}}}"),
              Column("best ask", f"symbol:exchange_best_ask_price:min{{{SYMBOL}}}"),
              Column("spread", f"symbol:exchange_venue_spread:ratio{{{SYMBOL}}}", "percentunit", limits.above(0, good="text"),
                     4),
              Column("volume 24 h, quote", f"sum by (symbol, market) ({of_symbol('exchange_volume_24h_quote', SYMBOL)})", "short",
                     decimals=1),
              Column("furthest off", f"{key} (abs({recorded('venue_symbol:exchange_mid_price_deviation:ratio', SYMBOL)}))",
                     "percentunit", limits.above(critical=0.01), 4),
              width=12, height=12, sort="spread", link={"symbol": [links.symbol]}),
        series("Spread between venues", "The ten widest. Above zero one could buy on one venue and sell on another, before fees.",
               Q(f"topk(10, symbol:exchange_venue_spread:ratio{{{SYMBOL}}})", "{{symbol}}"), unit="percentunit", decimals=3,
               width=12, height=12, link=links.symbol),
        series("Off the others' median", "The ten furthest from the median of the other venues. The alert "
               "ExchangePriceDeviation begins at 1 %.",
               Q("topk(10, abs(" + recorded("venue_symbol:exchange_mid_price_deviation:ratio", SYMBOL) + "))",
                 "{{exchange}} {{symbol}}"), unit="percentunit", decimals=3, width=12, limit=limits.above(critical=0.01),
               minimum=0, link=links.symbol),
        series("Book spread by venue", "Ask over bid, less 1: the median of the chosen symbols.",
               Q(f"quantile by (exchange) (0.5, {recorded('venue_symbol:exchange_book_spread:ratio', SYMBOL)})",
                 "{{exchange}}"), unit="percentunit", decimals=4, width=12, minimum=0, link=links.venue),
    )
    b.row("Volumes and dollars")
    b.add(
        pie("Volume by venue", "24 h, chosen symbols in the chosen quote currency.",
            Q(f"sum by (exchange) ({_in_quote('exchange_volume_24h_quote')})", "{{exchange}}"), unit="short", decimals=1,
            width=8, link=links.venue),
        series("Volume by venue over time", "Rolling 24 h, chosen symbols in the chosen quote currency.",
               Q(f"sum by (exchange) ({_in_quote('exchange_volume_24h_quote')})", "{{exchange}}"), unit="short", width=8,
               stacked=True, minimum=0, link=links.venue),
        series("Stablecoins in dollars", "The median over venues. The alert ExchangeStablecoinDepegged begins 1 % off.",
               Q("asset:exchange_stablecoin_price_usd:median", "{{asset}}"), unit="currencyUSD", decimals=4, width=8,
               limit=limits.PEG),
    )
    each = "max by (exchange, market, symbol)"
    b.row("Every price")
    b.add(table(
        "Every price", "Each symbol on each venue.", ["exchange", "market", "symbol"],
        Column("last", f"{each} ({raw('exchange_last_price', SYMBOL)})"),
        Column("bid", f"{each} ({raw('exchange_best_bid_price', SYMBOL)})"),
        Column("ask", f"{each} ({raw('exchange_best_ask_price', SYMBOL)})"),
        Column("24 h", f"{each} ({raw('exchange_price_change_24h_ratio', SYMBOL)})", "percentunit", limits.SIGNED, 2),
        Column("low 24 h", f"{each} ({raw('exchange_low_24h_price', SYMBOL)})"),
        Column("high 24 h", f"{each} ({raw('exchange_high_24h_price', SYMBOL)})"),
        Column("volume 24 h, base", f"{each} ({raw('exchange_volume_24h_base', SYMBOL)})", "short", decimals=1),
        width=24, height=14, sort="symbol", descending=False,
        link={"symbol": [links.symbol], "exchange": [links.venue]},
    ))
    return b
