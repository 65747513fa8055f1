//! What USDT is worth in dollars and in the chosen fiat where the venue itself does not say: other venues' public
//! tickers, one after the other, without a key. Never a constant; the source is a label of the metric.

use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use rustls::ClientConfig;
use serde_json::Value;

use super::amount::parse;
use super::valuation::USD;
use crate::fault::Fault;
use crate::net;

/// Base URL, path, and where in the reply the figures stand; bid and ask, or one price.
type Question = (&'static str, &'static str, &'static [&'static str]);

/// A venue that tells what USDT costs.
#[derive(Debug)]
struct Provider {
    name: &'static str,
    /// In dollars.
    dollars: Option<Question>,
    /// In any fiat, `{}` standing for its code.
    fiat: Question,
}

const PROVIDERS: &[Provider] = &[
    Provider {
        name: "binance",
        dollars: Some(("https://fapi.binance.com", "/fapi/v1/assetIndex?symbol=USDTUSD", &["/index"])),
        fiat: ("https://api.binance.com", "/api/v3/ticker/bookTicker?symbol=USDT{}", &["/bidPrice", "/askPrice"]),
    },
    Provider {
        name: "okx",
        dollars: None,
        fiat: ("https://openapi.okx.com", "/api/v5/market/ticker?instId=USDT-{}", &["/data/0/bidPx", "/data/0/askPx"]),
    },
    Provider {
        name: "bybit",
        dollars: None,
        fiat: (
            "https://api.bybit.com",
            "/v5/market/tickers?category=spot&symbol=USDT{}",
            &["/result/list/0/bid1Price", "/result/list/0/ask1Price"],
        ),
    },
    Provider {
        name: "coinbase",
        dollars: Some(("https://api.coinbase.com", "/api/v3/brokerage/market/products/USDT-USD", &["/price"])),
        fiat: ("https://api.coinbase.com", "/v2/exchange-rates?currency=USDT", &["/data/rates/{}"]),
    },
    Provider {
        name: "kucoin",
        dollars: Some(("https://api.kucoin.com", "/api/v1/prices?base=USD&currencies=USDT", &["/data/USDT"])),
        fiat: ("https://api.kucoin.com", "/api/v1/prices?base={}&currencies=USDT", &["/data/USDT"]),
    },
];

/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest reply read.
const LARGEST: usize = 1 << 20;

/// Which venues to ask, in this order; each at its own address or at a given one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<(String, Option<String>)>);

impl FromStr for Sources {
    type Err = String;

    /// `binance,okx=https://…`, or `none`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut sources = Vec::new();
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty() && *one != "none") {
            let (name, url) = one.split_once('=').map_or((one, None), |(name, url)| (name, Some(url)));
            if !PROVIDERS.iter().any(|provider| provider.name == name) {
                let known: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name).collect();
                return Err(format!("no source is called {name}; there are {}", known.join(", ")));
            }
            if let Some(url) = url
                && url::Url::parse(url).is_err()
            {
                return Err(format!("{name}={url}: not a URL"));
            }
            sources.push((name.to_owned(), url.map(|url| url.trim_end_matches('/').to_owned())));
        }
        Ok(Self(sources))
    }
}

/// A rate, and who says so.
#[derive(Clone, Debug, PartialEq)]
pub struct Quoted {
    /// How much one USDT is.
    pub rate: Decimal,
    /// Unix seconds.
    pub at: f64,
    /// The venue.
    pub source: &'static str,
}

/// Asks them.
#[derive(Debug)]
pub struct Rates {
    client: reqwest::Client,
    sources: Sources,
    own: &'static str,
}

impl Rates {
    /// For an exporter of the venue `own`, which is not asked here.
    pub fn new(sources: Sources, own: &'static str, tls: &ClientConfig) -> Result<Self, Fault> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(concat!("exchange-exporter/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| net::fault("cannot set up the HTTP client", &error))?;
        Ok(Self { client, sources, own })
    }

    /// Whether there is anybody to ask what one USDT is in this currency.
    pub fn has_source(&self, currency: &str) -> bool {
        self.questions(currency).next().is_some()
    }

    fn questions(&self, currency: &str) -> impl Iterator<Item = (&'static Provider, Option<&str>, Question)> {
        let dollars = currency == USD;
        self.sources.0.iter().filter_map(move |(name, url)| {
            let provider = PROVIDERS.iter().find(|one| one.name == name && one.name != self.own)?;
            let question = if dollars { provider.dollars? } else { provider.fiat };
            Some((provider, url.as_deref(), question))
        })
    }

    /// What one USDT is in this currency by the first source that tells; `None` where none does.
    pub async fn ask(&self, currency: &str, now: f64) -> Option<Quoted> {
        for (provider, url, (host, path, pointers)) in self.questions(currency) {
            let address = format!("{}{}", url.unwrap_or(host), path.replace("{}", currency));
            if let Some(rate) = self.fetch(&address, pointers, currency).await {
                return Some(Quoted { rate, at: now, source: provider.name });
            }
            tracing::debug!(source = provider.name, currency, "no rate from this source");
        }
        None
    }

    async fn fetch(&self, address: &str, pointers: &[&str], currency: &str) -> Option<Decimal> {
        let reply = self.client.get(address).send().await.ok()?.error_for_status().ok()?;
        if reply.content_length().is_some_and(|length| length > LARGEST as u64) {
            return None;
        }
        let body = reply.bytes().await.ok()?;
        read(&serde_json::from_slice(&body).ok()?, pointers, currency)
    }
}

/// The figure, or the middle of the two figures, that stand there.
fn read(reply: &Value, pointers: &[&str], currency: &str) -> Option<Decimal> {
    let mut sum = Decimal::ZERO;
    for pointer in pointers {
        let said = reply.pointer(&pointer.replace("{}", currency))?;
        let figure = said.as_str().map_or_else(|| parse(&said.to_string()), parse)?;
        sum = sum.checked_add(Some(figure).filter(|figure| *figure > Decimal::ZERO)?)?;
    }
    sum.checked_div(Decimal::from(pointers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, currency: &str, reply: &str) -> Option<String> {
        let provider = PROVIDERS.iter().find(|one| one.name == name).unwrap();
        let pointers = if currency == USD { provider.dollars.unwrap().2 } else { provider.fiat.2 };
        read(&serde_json::from_str(reply).unwrap(), pointers, currency).map(|rate| rate.normalize().to_string())
    }

    #[test]
    fn each_venue_s_reply() {
        let rate = Some("5.21".to_owned());
        assert_eq!(told("binance", "BRL", r#"{"bidPrice":"5.20","askPrice":"5.22"}"#), rate);
        assert_eq!(told("okx", "BRL", r#"{"code":"0","data":[{"bidPx":"5.2","askPx":"5.22"}]}"#), rate);
        assert_eq!(told("bybit", "BRL", r#"{"result":{"list":[{"bid1Price":"5.2","ask1Price":"5.22"}]}}"#), rate);
        assert_eq!(told("coinbase", "BRL", r#"{"data":{"currency":"USDT","rates":{"BRL":"5.21"}}}"#), rate);
        assert_eq!(told("kucoin", "BRL", r#"{"code":"200000","data":{"USDT":"5.21"}}"#), rate);
        assert_eq!(told("binance", "USD", r#"{"symbol":"USDTUSD","index":"0.9995"}"#).unwrap(), "0.9995");
        assert_eq!(told("okx", "BRL", r#"{"code":"51001","data":[]}"#), None);
        assert_eq!(told("binance", "BRL", r#"{"bidPrice":"0","askPrice":"5.22"}"#), None, "half a book");
    }

    #[test]
    fn sources_are_names_with_or_without_an_address() {
        assert_eq!("none".parse::<Sources>().unwrap(), Sources::default());
        let sources: Sources = "okx, binance=http://127.0.0.1:1/".parse().unwrap();
        assert_eq!(sources.0, [("okx".into(), None), ("binance".into(), Some("http://127.0.0.1:1".into()))]);
        assert!("mtgox".parse::<Sources>().unwrap_err().contains("binance, okx"));
        assert!("okx=nowhere".parse::<Sources>().is_err());
    }
}
