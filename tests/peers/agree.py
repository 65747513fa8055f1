"""ccxt, which nobody here wrote, against the fake venues: it must find in them what their books say.

Arguments: a venue and the address of its fake, in turn. One function a venue; each raises where the two disagree.
"""

import sys
import traceback
from decimal import Decimal
from json import dumps, load
from urllib.request import urlopen

import ccxt
from ccxt import AuthenticationError, PermissionDenied

# Where each venue's requests go, and below which path of its fake they end.
HOSTS = {
    "okx": {"https://www.okx.com": ""},
    "kucoin": {"https://api.kucoin.com": "", "https://api-futures.kucoin.com": "/futures"},
    "bybit": {"https://api.bybit.com": ""},
    "binance": {"https://api.binance.com": "", "https://fapi.binance.com": "", "https://dapi.binance.com": ""},
    "coinbase": {"https://api.coinbase.com": ""},
}
# No Ed25519 key of the fake, but one.
OTHER_SEED = "A" * 86 + "=="


class Fake:
    """A fake venue and a client of it. The client signs for the true host; only the last step leads elsewhere."""

    def __init__(self, venue, address, **options):
        self.venue, self.address = venue, address
        key = self.control("key")
        self.client = getattr(ccxt, venue)({
            "apiKey": key["id"],
            "secret": key["secret"],
            "password": key["passphrase"],
            "options": options,
        })
        # The venues' lists of coins and networks are no business of the fakes.
        self.client.has["fetchCurrencies"] = False
        self.fetch, self.client.fetch = self.client.fetch, self.redirected

    def redirected(self, url, *arguments, **named):
        for host, path in HOSTS[self.venue].items():
            if url.startswith(host + "/"):
                return self.fetch(self.address + path + url.removeprefix(host), *arguments, **named)
        raise AssertionError(f"a request for {url}")

    def control(self, what, deed=None):
        with urlopen(f"{self.address}/fake/{what}", data=deed and dumps(deed).encode()) as answer:
            return load(answer)

    def books(self):
        return self.control("books")

    def wallet(self, name):
        """What a wallet holds or owes, by asset."""
        assets = self.books()["wallets"][name].items()
        amounts = {asset: {what: Decimal(value) for what, value in money.items()} for asset, money in assets}
        return {asset: money for asset, money in amounts.items() if money["free"] or money["locked"] or money["borrowed"]}

    def unrealised(self, currency):
        """The profits not taken in a currency."""
        return sum(Decimal(it["unrealised"]) for it in self.books()["positions"] if it["currency"] == currency)

    def quotes(self, pair, symbol):
        """One ticker and all of them are what was last sent; the market stands still meanwhile."""
        self.control("freeze", {"frozen": True})
        tickers = self.client.fetch_tickers([pair, "ETH/" + pair.split("/")[1]])
        assert len(tickers) == 2, f"{len(tickers)} tickers instead of 2"
        same(tickers[pair], self.sent(symbol), f"{pair} among all tickers")
        same(self.client.fetch_ticker(pair), self.sent(symbol), f"the ticker of {pair}")
        self.control("freeze", {"frozen": False})

    def sent(self, symbol):
        sent = self.control(f"ledger?symbol={symbol}")["rest"]
        assert sent["last"], f"no price of {symbol} was sent"
        # Not every list tells the best prices.
        return {what: sent[what] for what in ("last", "bid", "ask") if sent[what]}

    def holds(self, balance, wanted, what):
        """A balance of ccxt's has exactly these assets, with these amounts."""
        found = {asset for asset, total in balance["total"].items() if total}
        assert found == set(wanted), f"{what}: {sorted(found)} instead of {sorted(wanted)}"
        for asset, amounts in wanted.items():
            same(balance[asset], amounts, f"{what}: {asset}")

    def orders_and_fills(self, pair, symbol, **parameters):
        """The open orders and the latest fills of a pair."""
        books = self.books()
        mine = [it for it in books["orders"] if it["symbol"] == symbol and it["category"] == "spot"]
        wanted = {it["id"]: it for it in mine if it["status"] in ("new", "partially_filled")}
        for order in self.client.fetch_open_orders(pair, limit=10, params=parameters):
            it = wanted[order["id"]]
            amounts = {"price": it["price"], "amount": it["quantity"], "filled": it["filled"]}
            same(order, amounts, f"order {order['id']}")
            assert order["side"] == it["side"], order
        fills = [it for it in books["fills"] if it["symbol"] == symbol and it["category"] == "spot"]
        trades = self.client.fetch_my_trades(pair, limit=10, params=parameters)
        assert trades, "no fills"
        for trade, it in zip(trades, fills[-len(trades) :]):
            same(trade, {"price": it["price"], "amount": it["quantity"]}, f"fill {it['id']}")
            same(trade["fee"], {"cost": it["fee"]}, f"the fee of fill {it['id']}")
            wanted = (it["order_id"], it["side"], it["role"], it["fee_asset"], it["at"])
            found = tuple(trade[what] for what in ("order", "side", "takerOrMaker")) + (trade["fee"]["currency"],)
            assert found == wanted[:4], f"{found} instead of {wanted}"

    def positions(self, symbol, **parameters):
        """The open positions, after a short in this symbol was opened."""
        short = {"do": "open_position", "category": "linear", "symbol": symbol, "side": "sell", "size": "7", "price": "3000"}
        self.control("account", short | {"leverage": "5"})
        self.control("account", {"do": "move_mark", "category": "linear", "symbol": symbol, "mark": "2987.5"})
        positions = self.client.fetch_positions(params=parameters)
        wanted = {(it["symbol"], it["category"]): it for it in self.books()["positions"]}
        for position in positions:
            market = self.client.market(position["symbol"])
            it = wanted.pop((market["id"], "linear" if market["linear"] else "inverse"))
            amounts = {"contracts": "size", "contractSize": "contract_size", "unrealizedPnl": "unrealised"}
            amounts |= {"entryPrice": "entry", "markPrice": "mark"}
            same(position, {theirs: it[ours] for theirs, ours in amounts.items()}, f"position {it['symbol']}")
            assert position["side"] == {"buy": "long", "sell": "short"}[it["side"]], position
        return wanted

    def refuses(self, **wrong):
        """With another secret, passphrase or key nothing is told; with the right one it is again."""
        for what, value in wrong.items():
            right = getattr(self.client, what)
            setattr(self.client, what, value)
            try:
                self.client.fetch_balance()
            except (AuthenticationError, PermissionDenied):
                pass
            else:
                raise AssertionError(f"a balance with a wrong {what}")
            setattr(self.client, what, right)
        self.client.fetch_balance()

    def content(self):
        """The client did nothing that the venue frowns upon."""
        seen = self.control("seen")["violations"]
        assert not seen, seen


def same(found, wanted, what):
    for name, number in wanted.items():
        assert found[name] == float(number), f"{what}: {name} is {found[name]} instead of {number}"


def okx(address):
    fake = Fake("okx", address, fetchMarkets={"types": ["spot", "swap"]})
    fake.quotes("BTC/USDT", "BTC-USDT")

    def equity(asset, money):
        return money["free"] + money["locked"] - money["borrowed"] - money["interest"] + fake.unrealised(asset)

    trading = {it: {"free": money["free"], "total": equity(it, money)} for it, money in fake.wallet("trading").items()}
    fake.holds(fake.client.fetch_balance(), trading, "trading")
    fake.holds(fake.client.fetch_balance({"type": "funding"}), plain(fake.wallet("funding")), "funding")
    fake.orders_and_fills("ETH/USDT", "ETH-USDT")
    assert not fake.positions("ETH-USDT-SWAP")
    # What OKX says of an unknown key is unknown to ccxt.
    fake.refuses(secret="wrong", password="wrong")
    fake.content()


def kucoin(address):
    fake = Fake("kucoin", address, fetchMarkets={"types": ["spot", "swap"], "fetchTickersFees": True})
    fake.client.load_markets(params={"marginables": False})
    fake.quotes("BTC/USDT", "BTC-USDT")
    fake.holds(fake.client.fetch_balance(), plain(fake.wallet("trade")), "trade")
    fake.holds(fake.client.fetch_balance({"type": "main"}), plain(fake.wallet("main")), "main")
    for code, currency in (("USDT", "USDT"), ("BTC", "XBT")):
        held = fake.wallet("futures")[currency]
        # Left alone, ccxt asks for BTC.
        balance = fake.client.fetch_balance({"type": "swap", "code": code, "currency": currency})
        fake.holds(balance, {code: {"total": held["free"] + fake.unrealised(currency)}}, "futures")
    # Left alone, ccxt asks for the orders of an account of years ago.
    fake.orders_and_fills("ETH/USDT", "ETH-USDT", hf=True)
    assert not fake.positions("ETHUSDTM")
    fake.refuses(secret="wrong", password="wrong", apiKey="nobody")
    fake.content()


def bybit(address):
    fake = Fake("bybit", address, fetchMarkets={"types": ["spot", "linear"]})
    fake.quotes("BTC/USDT", "BTCUSDT")
    unified = plain(fake.wallet("unified"))
    for asset, money in fake.wallet("unified").items():
        unified[asset]["debt"] = money["borrowed"] + money["interest"]
    fake.holds(fake.client.fetch_balance(), unified, "unified")
    fake.holds(fake.client.fetch_balance({"type": "funding"}), plain(fake.wallet("funding")), "funding")
    fake.orders_and_fills("ETH/USDT", "ETHUSDT")
    # One question tells those settled in one currency.
    assert {symbol for symbol, _ in fake.positions("ETHUSDT")} == {"BTCPERP", "BTCUSD"}
    fake.refuses(secret="wrong", apiKey="nobody")
    fake.content()


def binance(address):
    fake = Fake("binance", address, fetchMargins=False, fetchMarkets={"types": ["spot"]})
    fake.quotes("BTC/USDT", "BTCUSDT")
    spot = plain(fake.wallet("spot"))
    # What is lent and can be had back at once is shown as a claim.
    spot.update({f"LD{asset}": {"total": money["free"]} for asset, money in fake.wallet("earn").items()})
    fake.holds(fake.client.fetch_balance(), spot, "spot")
    for wallet in ("funding", "margin"):
        fake.holds(fake.client.fetch_balance({"type": wallet}), plain(fake.wallet(wallet)), wallet)
    held = fake.wallet("futures")["USDT"]
    margin = {"USDT": {"total": held["free"] + fake.unrealised("USDT")}}
    fake.holds(fake.client.fetch_balance({"type": "future"}), margin, "futures")
    fake.orders_and_fills("ETH/USDT", "ETHUSDT")
    fake.refuses(secret="wrong", apiKey="nobody")
    fake.content()


def coinbase(address):
    # Left alone, ccxt asks for the accounts of the second version.
    fake = Fake("coinbase", address, fetchBalance="v3PrivateGetBrokerageAccounts")
    fake.quotes("BTC/USD", "BTC-USD")
    fake.holds(fake.client.fetch_balance(), plain(fake.wallet("spot")), "spot")
    fake.orders_and_fills("ETH/USD", "ETH-USD")
    fake.refuses(secret=OTHER_SEED, apiKey="organizations/nobody/apiKeys/nothing")
    fake.content()


def plain(wallet):
    """Free, held by orders, and both, by asset."""
    return {
        asset: {"free": money["free"], "used": money["locked"], "total": money["free"] + money["locked"]}
        for asset, money in wallet.items()
    }


def main(arguments):
    checks = {check.__name__: check for check in (okx, kucoin, bybit, binance, coinbase)}
    failed = []
    for venue, address in zip(arguments[::2], arguments[1::2]):
        try:
            checks[venue](address)
            print(f"{venue}: agreed", flush=True)
        except Exception:
            traceback.print_exc()
            print(f"{venue}: DISAGREED", flush=True)
            failed.append(venue)
    return f"ccxt {ccxt.__version__} and the fakes disagree: {', '.join(failed)}" if failed else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
