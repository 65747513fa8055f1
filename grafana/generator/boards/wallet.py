"""What is held, where, and how it is spread."""

from kit import Board, Column, Q, bars, pie, series, stat, table, told
from kit import limits, links

ASSET = 'asset=~"$asset"'
# What is meant to be worth a dollar, and the dollar.
DOLLARS = 'asset=~"USD|USDT|USDC|FDUSD|DAI|TUSD"'


def board() -> Board:
    b = Board(
        "exchange-wallet", "Balances by asset, wallet and venue, and the allocation of the whole.",
        names=["job", "instance", "exchange", "account", "asset"], since="now-24h", refresh="30s",
    )
    value = told("exchange_asset_value_usdt", ASSET)
    b.row("Allocation")
    b.add(
        stat("Value, USDT", "Of the chosen assets, net of debt. Assets without a price are not in it.", Q(f"sum({value})"),
             unit="locale", decimals=2, width=6, spark=True),
        stat("In dollars and stablecoins", "Share of the value that stands in USD, USDT, USDC, FDUSD, DAI and TUSD.",
             Q(f"sum({told('exchange_asset_value_usdt', DOLLARS)}) / sum({told('exchange_asset_value_usdt')})"),
             unit="percentunit", decimals=1, width=6),
        stat("Largest share", "Of one asset in the value: how much hangs on it.",
             Q(f"topk(1, sum by (asset) ({value}) / scalar(sum({value})))", "{{asset}}"), unit="percentunit", decimals=1,
             width=6, named=True, link=links.wallet),
        stat("Assets", "How many different ones are held.", Q(f"count(count by (asset) ({told('exchange_balance', ASSET)}))"),
             unit="none", width=6),
        pie("By asset", "The fifteen largest. What is owed cannot be drawn.",
            Q(f"topk(15, sum by (asset) ({value}) > 0)", "{{asset}}"), unit="suffix:USDT", decimals=0, width=8, height=10,
            link=links.wallet),
        pie("By venue", "In USDT. What is owed cannot be drawn.", Q(f"sum by (exchange) ({value}) > 0", "{{exchange}}"),
            unit="suffix:USDT", decimals=0, width=8, height=10, link=links.venue),
        series("Value over time", "The fifteen largest of each moment, in USDT.",
               Q(f"topk(15, sum by (asset) ({value}))", "{{asset}}"), unit="suffix:USDT", width=8, height=10, stacked=True,
               link=links.wallet),
    )
    b.row("Assets")
    key = "sum by (asset, exchange, account)"
    b.add(
        table("By asset and venue", "Amounts are in units of the asset, over all wallets. Where the value is empty, no market "
              "leads to a price.", ["asset", "exchange", "account"],
              *(Column(state, f"{key} ({told('exchange_balance', ASSET, state=state)})")
                for state in ("free", "locked", "borrowed")),
              Column("value, USDT", f"{key} ({value})", "locale", decimals=2), width=14, height=12, sort="value, USDT",
              link={"asset": [links.wallet], "exchange": [links.venue]}),
        table("By wallet", "Every balance, in units of the asset.", ["asset", "exchange", "account", "wallet", "state"],
              Column("amount", f"sum by (asset, exchange, account, wallet, state) ({told('exchange_balance', ASSET)})"),
              width=10, height=12, sort="asset", descending=False, link={"asset": [links.wallet], "exchange": [links.venue]}),
        series("Amount over time", "The fifteen largest by amount, in units of the asset: choose few assets to compare.",
               Q(f"topk(15, sum by (asset, exchange) ({told('exchange_balance', ASSET)}))", "{{asset}} {{exchange}}"),
               unit="none", width=12, link=links.wallet),
        series("Borrowed", "Debt, in units of the asset.",
               Q(f"sum by (asset, exchange, account) ({told('exchange_balance', ASSET, state='borrowed')})",
                 "{{asset}} {{exchange}} {{account}}"), unit="none", width=6, link=links.wallet),
        bars("Without a price", "Held, and in no figure.",
             Q(f"sum by (asset, exchange) ({told('exchange_unpriced_balance', ASSET)})", "{{asset}} {{exchange}}"),
             unit="none", width=6, limit=limits.above(warning=0), link=links.wallet),
    )
    return b
