"""Arbitrage: legs that were filled, failed or hedged, what it earns, and how far the venues' prices are apart."""

from kit import Board, Q, bars, history, latest, recorded, rise, series, stat
from kit import limits, links

VENUE = ('exchange=~"$exchange"',)
LEGS = (("success", "filled"), ("fail", "failed"), ("hedge", "hedged"))


def board() -> Board:
    b = Board(
        "bot-arbitrage", "Legs of arbitrage by venue, hedges, profit, and how far the venues' prices are apart.",
        names=["bot", "bot_exchange"], since="now-6h", refresh="10s",
    )
    _now(b)
    _legs(b)
    _profit(b)
    return b


def _rise(kind: str, *labels: str, window: str) -> str:
    return rise(f"arb_legs_{kind}_total", *labels, window=window, only=VENUE)


def _share(kind: str, *labels: str, window: str) -> str:
    """Of the legs that were filled or failed."""
    by = f"sum by ({', '.join(('bot', *labels))})"
    done = f"{by} ({_rise('success', *labels, window=window)} + {_rise('fail', *labels, window=window)})"
    return f"{_rise(kind, *labels, window=window)} / ({done} > 0)"


def _now(b: Board) -> None:
    b.row("Now")
    b.add(
        stat("Realised profit", "Of all symbols.", Q(f"sum by (bot) ({latest('arb_pnl_realized', 'symbol')})", "{{bot}}"),
             unit="currencyUSD", decimals=2, width=5, named=True, limit=limits.SIGNED),
        stat("Unrealised profit", "Of all symbols: legs whose other side is open.",
             Q(f"sum by (bot) ({latest('arb_pnl_unrealized', 'symbol')})", "{{bot}}"), unit="currencyUSD", decimals=2, width=5,
             named=True, limit=limits.SIGNED),
        stat("Legs filled in 1 h", "On the chosen venues.", Q(f"sum({_rise('success', window='1h')})"), unit="none", decimals=0,
             width=4),
        stat("Share that failed in 1 h", "Of the legs that were filled or failed: each leaves the other side open until it is "
             "hedged.", Q(_share("fail", window="1h"), "{{bot}}"), unit="percentunit", decimals=1, width=5, named=True),
        stat("Hedges in 1 h", "Legs that were hedged after the other one failed.", Q(f"sum({_rise('hedge', window='1h')})"),
             unit="none", decimals=0, width=5),
    )


def _legs(b: Board) -> None:
    b.row("Legs")
    b.add(
        *(series(f"Legs {word}", text, Q(_rise(kind, "exchange", window="5m"), "{{bot}} {{exchange}}"), unit="short", width=8,
                 stacked=True, minimum=0, link=links.venue)
          for (kind, word), text in zip(LEGS, (
              "In five minutes, by venue.", "In five minutes, by venue. The other side is then open until it is hedged.",
              "In five minutes, by venue, after the other leg failed."))),
        bars("Share filled by venue", "Of the legs of the last hour that were filled or failed.",
             Q(_share("success", "exchange", window="1h"), "{{bot}} {{exchange}}"), unit="percentunit", decimals=1, width=8,
             maximum=1, link=links.venue),
        series("Share that failed by venue", "Of the legs that were filled or failed, over fifteen minutes.",
               Q(_share("fail", "exchange", window="15m"), "{{bot}} {{exchange}}"), unit="percentunit", width=8, minimum=0,
               link=links.venue),
        history("Prices that were dead", "Venues whose prices did not come: legs on them are blind.",
                Q(f"({recorded('venue:exchange_public_stream_up:min')} == bool 0) > 0", "{{exchange}}"), word="dead", color="red",
                width=8, link=links.health, nothing="none, as far as the exporters tell"),
    )


def _profit(b: Board) -> None:
    b.row("Profit, and where it comes from")
    b.add(
        series("Realised profit by symbol", "As the bot reckons it.", Q(latest("arb_pnl_realized", "symbol"), "{{bot}} {{symbol}}"),
               unit="currencyUSD", width=8, link=links.symbol),
        series("Unrealised profit by symbol", "Of legs whose other side is open.",
               Q(latest("arb_pnl_unrealized", "symbol"), "{{bot}} {{symbol}}"), unit="currencyUSD", width=8, link=links.symbol),
        series("Spread between venues", "Highest bid over lowest ask of all venues, as the exporters see them: above zero, one "
               "could buy here and sell there, before fees. The ten widest.",
               Q("topk(10, symbol:exchange_venue_spread:ratio)", "{{symbol}}"), unit="percentunit", decimals=3, width=8,
               link=links.symbol),
    )
