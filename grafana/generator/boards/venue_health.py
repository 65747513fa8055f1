"""How well the venues are served: latency, errors, limits, and the error budget."""

from kit import Board, Column, Q, bars, gauge, heatmap, raw, recorded, series, stat, states, table
from kit import limits, links

from . import shared

STATUS = {0: ("maintenance", shared.WORRY), 1: ("up", shared.OK)}


def board() -> Board:
    b = Board(
        "exchange-venue-health", "Latency, clock skew, errors by kind, reconnects, gaps, rate limits, maintenance, and the "
        "error budget.", names=["job", "instance", "exchange"], since="now-6h", refresh="10s",
    )
    b.row("Availability and error budget")
    b.add(
        shared.venue_state(width=24, link=links.venue),
        table("Availability of the public stream", "Share of the time in which prices came; downtime of the exporter counts as "
              "downtime. The objective is 99.9 % over 30 days.", ["exchange"],
              *(Column(title, f"max by (exchange) ({recorded(f'venue:exchange_public_stream_up:avg_{window}')})", "percentunit",
                       limit, 3)
                for title, window, limit in (("15 min", "15m", limits.AVAILABILITY), ("1 h", "1h", limits.OBJECTIVE),
                                             ("1 d", "1d", limits.OBJECTIVE), ("30 d", "30d", limits.OBJECTIVE))),
              Column("budget left", f"max by (exchange) ({recorded('venue:exchange_error_budget_remaining:ratio_30d')})",
                     "percentunit", limits.BUDGET, 1),
              width=12, link={"exchange": [links.venue]}, sort="exchange", descending=False),
        series("Error budget left", "What is left of the 43 minutes that 99.9 % allows in 30 days: 1 is untouched, 0 used up, "
               "less overdrawn.", Q(recorded("venue:exchange_error_budget_remaining:ratio_30d"), "{{exchange}}"),
               unit="percentunit", width=12, limit=limits.BUDGET, link=links.venue),
        shared.streams(width=12),
        states("The venue's own word", "Up, or under maintenance. A lane is empty where the venue does not say.",
               Q(f"min by (exchange) ({raw('exchange_system_status')})", "{{exchange}}"), words=STATUS, width=12,
               link=links.venue),
    )
    _latency(b)
    _faults(b)
    _limits(b)
    return b


def _latency(b: Board) -> None:
    b.row("Latency and clocks")
    b.add(
        shared.event_lag(width=8),
        shared.event_lag(width=8, quantile="p99"),
        heatmap("Event lag, all of it", "How many events came with which lag.",
                Q(f"sum by (le) (increase({raw('exchange_event_lag_seconds_bucket')}[$__rate_interval]))", "{{le}}"),
                unit="s", width=8),
        series("REST latency by venue, p95", "Round trip of REST requests over five minutes. Alerts begin at 1 s and 5 s.",
               Q(recorded("venue:exchange_request_duration_seconds:p95_rate5m"), "{{exchange}}"), unit="s", width=8,
               limit=limits.REST_LATENCY, link=links.venue, minimum=0),
        bars("REST latency by question, p99", "The slowest questions of the last five minutes.",
             Q(f"topk(10, {recorded('venue_endpoint:exchange_request_duration_seconds:p99_rate5m')} >= 0)",
               "{{exchange}} {{endpoint}}"), unit="s", width=8, limit=limits.REST_LATENCY, link=links.venue),
        series("Clock skew", "The venue's clock minus ours. Alerts begin at 1 s and, where signatures begin to fail, 4 s.",
               Q(f"max by (exchange) ({raw('exchange_clock_skew_seconds')})", "{{exchange}}"), unit="s", width=8,
               limit=limits.CLOCK_SKEW, link=links.venue),
    )


def _faults(b: Board) -> None:
    b.row("Faults")
    b.add(
        series("Errors for each request", "Share of REST requests that failed, over five minutes. The alert "
               "ExchangeErrorRatioHigh begins at 5 %.",
               Q(recorded("venue:exchange_request_errors_per_request:ratio_rate5m"), "{{exchange}}"), unit="percentunit",
               width=8, limit=limits.ERROR_RATIO, minimum=0, link=links.venue),
        series("Errors by kind", "What went wrong, by kind and by where it was met.",
               Q(f"sum by (exchange, kind, source) (increase({raw('exchange_errors_total')}[$__rate_interval])) > 0",
                 "{{exchange}} {{kind}} {{source}}"), unit="short", width=16, bars_of=True, nothing=shared.NONE_TOLD, minimum=0, link=links.venue),
        series("Reconnects by reason", "Connections that were replaced. A planned one, such as Binance's every 24 h, is no "
               "fault.", Q(f"sum by (exchange, stream, reason) (increase({raw('exchange_websocket_reconnects_total')}"
                           "[$__rate_interval])) > 0", "{{exchange}} {{stream}} {{reason}}"),
               unit="short", width=12, bars_of=True, nothing=shared.NONE_TOLD, minimum=0, link=links.venue),
        series("Lost frames", "Frames that are missing by the venue's own numbering, where it numbers them.",
               Q(f"sum by (exchange, stream) (increase({raw('exchange_websocket_gaps_total')}[$__rate_interval]))",
                 "{{exchange}} {{stream}}"), unit="short", width=6, bars_of=True, minimum=0, link=links.venue),
        bars("Symbols rejected", "Symbols that were asked for and that the venue does not list.",
             Q(f"max by (exchange) ({raw('exchange_symbols', state='rejected')})", "{{exchange}}"), unit="none", width=6,
             limit=limits.ANY_IS_WARNING, link=links.venue),
    )


def _limits(b: Board) -> None:
    b.row("Rate limits")
    b.add(
        gauge("Headroom by limit", "What is left now of the limits that venues report. The alert ExchangeRateLimitHeadroomLow begins below 20 %.",
              Q(shared.HEADROOM, "{{exchange}} {{limit}}"), unit="percentunit",
              width=8, limit=limits.HEADROOM, link=links.venue),
        series("Headroom", "The same over time: others on the same address or key use the limits, too.",
               Q(shared.HEADROOM, "{{exchange}} {{limit}}"), unit="percentunit",
               width=12, limit=limits.HEADROOM, minimum=0, maximum=1, link=links.venue),
        stat("Shut out until", "When the venue lets us in again. Nobody is shut out where this is empty.",
             Q(f"1000 * (max by (exchange) ({raw('exchange_rate_limit_reset_timestamp_seconds')}) > time())", "{{exchange}}"),
             unit="dateTimeFromNow", width=4, height=8, named=True, limit=limits.Limit(((None, limits.CRITICAL),)),
             nothing="nobody, as far as the exporters tell"),
    )
