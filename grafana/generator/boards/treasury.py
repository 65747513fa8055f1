"""What everything is worth, how that came about, and how far the figure can be trusted."""

from kit import Board, Column, Q, account, bars, pie, raw, recorded, series, stat, states, table, told
from kit import limits, links

from . import shared

USDT = 'currency="USDT"'
NAME = "{{exchange}} {{account}}"


def board() -> Board:
    b = Board(
        "exchange-treasury", "Equity over venues and currencies, its history, drawdown, coverage, and assets without a price.",
        names=["job", "instance", "exchange", "account"], since="now-7d", refresh="1m",
    )
    _total(b)
    _history(b)
    _accounts(b)
    _trust(b)
    return b


def _total(b: Board) -> None:
    b.row("The whole suite, whatever is chosen above")
    b.add(
        stat("Equity in USDT", "All accounts of all venues, net of debt. Unknown while one of them does not tell: a sum with a "
             "part missing is no total.", Q(shared.equity("USDT")), unit="locale", decimals=2, width=5, spark=True),
        stat("Equity in dollars", "By what USDT is worth in dollars.", Q(shared.equity("USD")), unit="locale", decimals=2,
             width=4, spark=True),
        stat("Equity in fiat", "In the currency of --equity.fiat, by the market of USDT in it.",
             Q('currency:exchange_equity:sum{currency!~"USDT|USD"}', "{{currency}}"), unit="locale", decimals=2, width=4,
             named=True, spark=True),
        stat("Accounts told", "How many accounts are in the total.",
             Q(f"currency:exchange_equity_accounts:count{{{USDT}}}"), unit="none", width=3),
        stat("Drawdown from the peak", "Of the total, below its peak of 7 and of 30 days. Alerts of single accounts begin at "
             "10 % and 15 %.", Q("suite:exchange_equity_drawdown:ratio_7d", "7 d"),
             Q("suite:exchange_equity_drawdown:ratio_30d", "30 d"), unit="percentunit", decimals=2, width=8,
             limit=limits.DRAWDOWN, named=True),
    )
    windows = (("1h", "1 h"), ("1d", "24 h"), ("7d", "7 d"))
    b.add(*(
        stat(f"Change in {name}, USDT", "Of the total. Deposits and withdrawals count, too. Unknown where the history is shorter.",
             Q(f"currency:exchange_equity:delta_{window}{{{USDT}}}", "USDT"), unit="locale", decimals=2, width=4,
             limit=limits.SIGNED) for window, name in windows
    ), *(
        stat(f"Change in {name}, share", "Of what the total was then.", Q(shared.equity_change(window)), unit="percentunit",
             decimals=2, width=4, limit=limits.SIGNED) for window, name in windows
    ))


def _history(b: Board) -> None:
    b.row("History")
    b.add(
        series("Equity of the suite", "The total in USDT. A hole is a time in which it was not known.",
               Q(shared.equity("USDT"), "USDT"), unit="suffix:USDT", width=12, height=9),
        series("Equity of the suite in USD and fiat", "The same by what USDT is worth in them.",
               Q('currency:exchange_equity:sum{currency!="USDT"}', "{{currency}}"), unit="none", width=12, height=9),
        series("Equity by account", "In USDT.", Q(f"sum by (exchange, account) ({told('exchange_equity', USDT)})", NAME),
               unit="suffix:USDT", width=12, height=9, stacked=True, link=links.venue),
        series("Drawdown by account", "Below the account's own peak of 30 days. Alerts begin at 10 % and 15 %.",
               Q(recorded("account:exchange_equity_drawdown:ratio_30d", of_account=True), NAME), unit="percentunit", width=12,
               height=9, limit=limits.DRAWDOWN, minimum=0, link=links.venue),
    )


def _accounts(b: Board) -> None:
    key = "sum by (exchange, account)"
    b.row("Accounts")
    b.add(
        pie("Equity by venue", "In USDT. An account that owes more than it holds cannot be drawn.",
            Q(f"{shared.EQUITY_OF_VENUE} > 0", "{{exchange}}"), unit="suffix:USDT", decimals=0, width=8, height=9,
            link=links.venue),
        table("Accounts", "Change is of deposits and withdrawals, too. Age is since the last complete refresh; alerts begin at "
              "5 min, coverage below 95 %, a fall of 5 % in 10 min.", ["exchange", "account"],
              Column("equity, USDT", f"{key} ({told('exchange_equity', USDT)})", "locale", decimals=2),
              *(Column(title, f"{key} ({recorded(f'account:exchange_equity:delta_{window}', USDT, of_account=True)})",
                       "locale", limits.SIGNED, 2) for title, window in (("1 h", "1h"), ("24 h", "1d"), ("7 d", "7d"))),
              Column("10 min", f"{key} ({recorded('account:exchange_equity_change:ratio_10m', of_account=True)})",
                     "percentunit", limits.EQUITY_FELL, 2),
              Column("drawdown 7 d", f"{key} ({recorded('account:exchange_equity_drawdown:ratio_7d', of_account=True)})",
                     "percentunit", limits.DRAWDOWN, 2),
              Column("coverage", f"min by (exchange, account) ({account('exchange_equity_coverage_ratio')})", "percentunit",
                     limits.COVERAGE, 1),
              Column("age", "time() - min by (exchange, account) "
                     f"({account('exchange_account_last_success_timestamp_seconds')})", "s", limits.ACCOUNT_AGE, 0),
              width=16, height=9, sort="equity, USDT", link={"exchange": [links.venue, links.health]}),
    )


def _trust(b: Board) -> None:
    b.row("How far to trust it")
    b.add(
        table("Our figure and the venue's", "What the venue itself says that the account, or a part of it, is worth, as far as it "
              "says. More than a per cent apart: assets without a price, a wallet that is not read, or something that only "
              "the venue can value.", ["exchange", "account", "part", "currency"],
              Column("venue's word", f"sum by (exchange, account, part, currency) "
                     f"({told('exchange_equity_venue_reported')})", "locale", decimals=2),
              width=8, sort="exchange", descending=False, link={"exchange": [links.venue]}),
        table("Held, and without a price", "In no figure: no market of the venue leads to a price.",
              ["exchange", "account", "asset"],
              Column("amount", f"sum by (exchange, account, asset) ({told('exchange_unpriced_balance')})"), width=8,
              link={"asset": [links.wallet]}, nothing="nothing, as far as the accounts tell"),
        states("Wallets", "Those that cannot be read are in no figure: the key may not, or the venue does not serve them.",
               Q(f"min by (exchange, account, wallet) ({account('exchange_wallet_read_status')})", NAME + " {{wallet}}"),
               words={0: ("not read", shared.WORRY), 1: ("read", shared.OK)}, width=8, link=links.venue),
        bars("Oldest price below the sum", "How old the oldest price is that the equity rests on. Those of REST are asked for "
             "once a minute; what is older than 15 min is no price.",
             Q(f"time() - min by (exchange, account) ({account('exchange_equity_oldest_price_timestamp_seconds')})", NAME),
             unit="s", decimals=0, width=8, limit=limits.above(warning=900), link=links.venue),
        series("What USDT is worth", "By the market of the source that tells.",
               Q(f"max by (quote, source) ({raw('exchange_fx_rate', base='USDT')})", "{{quote}} by {{source}}"), unit="none",
               decimals=4, width=8),
        states("Exchange rates", "Whether anybody says what USDT is worth: without it equity in that currency is unknown.",
               Q(f"min by (exchange, currency) ({raw('exchange_fx_available')})", "{{exchange}} {{currency}}"),
               words={0: ("nobody", shared.WORRY), 1: ("told", shared.OK)}, width=8, link=links.venue),
    )
