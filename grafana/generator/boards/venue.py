"""One venue in depth."""

from kit import Board, Column, Q, account, bars, raw, recorded, series, stat, table, told
from kit import limits, links

from . import shared


def board() -> Board:
    b = Board(
        "exchange-venue", "One venue in depth: its state, its market, its account, and what it costs to watch it.",
        names=["job", "instance", "venue", "account"], since="now-3h", refresh="10s",
    )
    _state(b)
    _market(b)
    _account(b)
    _talk(b)
    _exporter(b)
    return b


def _state(b: Board) -> None:
    b.row("State")
    b.add(
        shared.venue_state(width=5, link=links.health),
        *(stat(f"{stream.title()} stream", text, Q(f"min({raw('exchange_connection_status', stream=stream)})"),
               unit="none", width=3, states=shared.UP_DOWN, background=True, link=links.health)
          for stream, text in (("public", "Whether prices come."),
                               ("private", "Whether the account's events come. Unknown where no key is given."))),
        stat("Symbols by state", "How many symbols were asked for, carry prices, or were rejected.",
             Q(f"max by (state) ({raw('exchange_symbols')})", "{{state}}"), unit="none", width=5, named=True),
        stat("Availability, 1 d", "Share of the last day in which prices came. The objective is 99.9 %.",
             Q(f"max({recorded('venue:exchange_public_stream_up:avg_1d')})"), unit="percentunit", decimals=3, width=4,
             limit=limits.OBJECTIVE, link=links.health),
        stat("Error budget left", "Of the 43 minutes that 99.9 % allows in 30 days.",
             Q(f"max({recorded('venue:exchange_error_budget_remaining:ratio_30d')})"), unit="percentunit", decimals=1, width=4,
             limit=limits.BUDGET, link=links.health),
    )


def _market(b: Board) -> None:
    key = "max by (market, symbol)"
    b.row("Market")
    b.add(
        table("Symbols", "Every symbol of this venue. Age is since the exporter last heard of it: a quiet symbol is no fault.",
              ["market", "symbol"],
              Column("last", f"{key} ({raw('exchange_last_price')})"),
              Column("bid", f"{key} ({raw('exchange_best_bid_price')})"),
              Column("ask", f"{key} ({raw('exchange_best_ask_price')})"),
              Column("book spread", f"{key} ({recorded('venue_symbol:exchange_book_spread:ratio')})", "percentunit",
                     decimals=4),
              Column("24 h", f"{key} ({raw('exchange_price_change_24h_ratio')})", "percentunit", limits.SIGNED, 2),
              Column("volume 24 h, quote", f"{key} ({raw('exchange_volume_24h_quote')})", "short", decimals=1),
              Column("off the others", f"{key} ({recorded('venue_symbol:exchange_mid_price_deviation:ratio')})",
                     "percentunit", limits.DEVIATION, 3),
              Column("age", f"time() - {key} ({raw('exchange_ticker_last_update_timestamp_seconds')})", "s", decimals=0),
              width=16, height=11, sort="volume 24 h, quote", link={"symbol": [links.symbol]}),
        shared.event_lag(width=8, height=11),
    )


def _account(b: Board) -> None:
    b.row("Account")
    money = 'currency="USDT"'
    b.add(
        stat("Equity", "Value of all wallets that could be read, net of debt. Unknown without a key, and while it cannot be "
             "read.", Q(f"sum by (account) ({told('exchange_equity', money)})", "{{account}}"),
             unit="suffix:USDT", decimals=2, width=6, spark=True, link=links.treasury),
        stat("Coverage", "Assets with a price over assets held. The alert ExchangeEquityCoverageLow begins below 95 %.",
             Q(f"min({account('exchange_equity_coverage_ratio')})"), unit="percentunit", decimals=1, width=3,
             limit=limits.COVERAGE, link=links.treasury),
        stat("Account's age", "Since the last complete refresh. The alert ExchangeAccountStale begins at 5 min.",
             Q(f"time() - min({account('exchange_account_last_success_timestamp_seconds')})"), unit="s", decimals=0, width=3,
             limit=limits.ACCOUNT_AGE),
        stat("Open orders", "On all markets.", Q(f"sum({told('exchange_open_orders')})"), unit="none", width=3),
        stat("Open positions", "On all markets.", Q(f"sum({told('exchange_open_positions')})"), unit="none", width=3),
        stat("Executions a minute", "Over five minutes.",
             Q(f"sum({recorded('account:exchange_fills_per_minute:rate5m', of_account=True)})"), unit="none", decimals=1,
             width=3, link=lambda _: links.board("exchange-operations")),
        stat("Drawdown, 30 d", "Below the account's peak of 30 days. Alerts begin at 10 % and 15 %.",
             Q(f"max({recorded('account:exchange_equity_drawdown:ratio_30d', of_account=True)})"), unit="percentunit",
             decimals=2, width=3, limit=limits.DRAWDOWN, link=links.treasury),
        bars("Largest assets", "Value over all wallets, net of debt.",
             Q(f"topk(10, sum by (asset) ({told('exchange_asset_value_usdt')}))", "{{asset}}"), unit="suffix:USDT",
             decimals=0, width=12, link=links.wallet),
        series("Equity over time", "In USDT. A hole is a time in which it was not known.",
               Q(f"sum by (account) ({told('exchange_equity', money)})", "equity {{account}}"), unit="suffix:USDT",
               width=12, link=links.treasury),
    )


def _talk(b: Board) -> None:
    b.row("Conversation with the venue")
    b.add(
        series("Messages a second", "Frames on each stream. A stream that falls silent is dead after the data timeout.",
               Q(recorded("venue:exchange_websocket_messages:rate1m"), "{{stream}}"), unit="mps", width=8, minimum=0),
        series("Received", "Payload on each stream.",
               Q(f"sum by (stream) (rate({raw('exchange_websocket_received_bytes_total')}[$__rate_interval]))", "{{stream}}"),
               unit="Bps", width=8, minimum=0),
        series("Connections", "Wanted and live; both are the same while all is well.",
               Q(f"sum by (stream, state) ({raw('exchange_connections')})", "{{stream}} {{state}}"), unit="none", width=8,
               minimum=0, steps=True, decimals=0),
        series("REST requests", "By question and outcome, a second.",
               Q(f"sum by (endpoint, outcome) (rate({raw('exchange_requests_total')}[$__rate_interval]))",
                 "{{endpoint}} {{outcome}}"), unit="reqps", width=8, minimum=0),
        series("REST latency by question, p95", "Round trip over five minutes. Alerts begin at 1 s and 5 s.",
               Q(recorded("venue_endpoint:exchange_request_duration_seconds:p95_rate5m"), "{{endpoint}}"), unit="s", width=8,
               limit=limits.REST_LATENCY, minimum=0),
        series("Rate-limit headroom", "What is left of each limit. The alert begins below 20 %, but not for what the "
               "exporter allows itself (`own_share`): that is there to be used up.",
               Q(recorded("venue_limit:exchange_rate_limit_headroom:ratio"), "{{limit}}"), unit="percentunit", width=8,
               limit=limits.HEADROOM, minimum=0, maximum=1),
        series("Errors by kind", "What went wrong, and where it was met.",
               Q(f"sum by (kind, source) (increase({raw('exchange_errors_total')}[$__rate_interval])) > 0", "{{kind}} {{source}}"),
               unit="short", width=12, bars_of=True, nothing=shared.NONE_TOLD, minimum=0),
        series("Reconnects by reason", "Connections that were replaced; planned ones are no fault.",
               Q(f"sum by (stream, reason) (increase({raw('exchange_websocket_reconnects_total')}[$__rate_interval])) > 0",
                 "{{stream}} {{reason}}"), unit="short", width=12, bars_of=True, nothing=shared.NONE_TOLD, minimum=0),
    )


def _exporter(b: Board) -> None:
    b.row("The exporter itself")
    b.add(
        series("CPU", "Of one core.", Q(f"sum by (instance) (rate({raw('process_cpu_seconds_total')}[$__rate_interval]))",
                                        "{{instance}}"), unit="percentunit", width=6, minimum=0),
        series("Memory", "Resident.", Q(raw("process_resident_memory_bytes"), "{{instance}}"), unit="bytes", width=6, minimum=0),
        series("Scrape", "How long Prometheus takes to read it.", Q(raw("scrape_duration_seconds"), "{{instance}}"), unit="s",
               width=6, minimum=0),
        table("Version", "What runs, and since when.", ["instance", "version", "revision"],
              Column("started", "1000 * max by (instance, version, revision) ("
                     f"{raw('process_start_time_seconds')} * on (job, instance) group_left (version, revision) "
                     f"{raw('exchange_exporter_build_info')})", "dateTimeFromNow"), width=6),
    )
