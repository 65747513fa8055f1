"""One screen: is everything well, what is it worth, what fires."""

from kit import Board, Q, bars, gauge, raw, recorded, stat
from kit import limits, links

from . import shared


def board() -> Board:
    b = Board(
        "exchange-overview", "All venues on one screen: is everything well, what is it worth, what fires.",
        names=["job", "instance", "exchange", "main_symbol"], since="now-6h", refresh="10s",
    )
    b.add(
        shared.venue_state(width=12, height=4),
        shared.alarm_chain(width=3),
        stat("Critical", "Critical alerts that fire: somebody has to act now.",
             Q(shared.count_alerts('alertstate="firing"', 'severity="critical"')), unit="none", width=3,
             limit=limits.ANY_IS_CRITICAL, background=True, link=lambda _: links.board("exchange-alerts")),
        stat("Warnings", "Warnings that fire: somebody has to look today.",
             Q(shared.count_alerts('alertstate="firing"', 'severity="warning"')), unit="none", width=3,
             limit=limits.ANY_IS_WARNING, background=True, link=lambda _: links.board("exchange-alerts")),
        stat("Targets down", "Scrape targets of every job that do not answer Prometheus.",
             Q("count(up == 0) or count(up) * 0"), unit="none", width=3, limit=limits.ANY_IS_WARNING, background=True,
             link=lambda _: links.board("exchange-infrastructure")),
        *_worth(),
        shared.alert_table("What fires", "Firing alerts of the chosen venues and of the machines. The alert's name opens "
                           "its runbook. Nothing here means that nothing fires only while Alerting is alive.", "firing",
                           width=12, height=8, nothing="nothing fires, as far as Alerting is alive"),
        shared.mid_price('symbol=~"$symbol"', width=12),
        shared.streams(width=8, height=6),
        shared.event_lag(width=8, height=6),
        gauge("Rate-limit headroom", "What is left of the tightest limit that a venue reports, by whoever used the rest. The alert "
              "ExchangeRateLimitHeadroomLow begins below 20 %.", Q(f"min by (exchange) ({shared.HEADROOM})", "{{exchange}}"),
              unit="percentunit", width=8, height=6, limit=limits.HEADROOM, link=links.health),
    )
    return b


def _worth():
    money = lambda _: links.board("exchange-treasury")  # noqa: E731
    return (
        stat("Equity, USDT", "All accounts of all venues, net of debt, in USDT. Unknown while one of them does not tell: a sum "
             "with a part missing is no total.", Q(shared.equity("USDT")), unit="locale", decimals=2, width=5,
             spark=True, link=money),
        stat("Equity in USD and fiat", "The same in dollars and in the chosen fiat, by the market of USDT: a stablecoin is "
             "no dollar.", Q('currency:exchange_equity:sum{currency!="USDT"}', "{{currency}}"), unit="locale", decimals=2,
             width=5, named=True, link=money),
        stat("Change in 24 h, USDT", "Equity now against 24 h ago. Deposits and withdrawals count, too.",
             Q('currency:exchange_equity:delta_1d{currency="USDT"}', "USDT"), unit="locale", decimals=2, width=4,
             limit=limits.SIGNED, link=money),
        stat("Drawdown from the 30 d peak", "How far the total is below its peak of 30 days. Alerts of single accounts begin "
             "at 10 % and 15 %.", Q("suite:exchange_equity_drawdown:ratio_30d"), unit="percentunit", decimals=2, width=4,
             limit=limits.DRAWDOWN, link=money),
        stat("Highest exposure", "Value of positions against equity, in the account where it is highest. The alert "
             "ExchangeExposureHigh begins at 90 %.",
             Q(f"max({recorded('account:exchange_exposure:ratio')})"), unit="percentunit", decimals=1, width=3,
             limit=limits.EXPOSURE, link=lambda _: links.board("exchange-operations")),
        bars("Symbols streaming", "How many symbols carry prices now, by venue.",
             Q(f"max by (exchange) ({raw('exchange_symbols', state='streaming')})", "{{exchange}}"), unit="none",
             width=3, height=4, link=links.venue),
    )
