//! The fake venues, spoken right and wrong. One program for all of them: it is linked once, and what waits, waits together.

mod account_binance;
mod account_binance_futures;
mod account_bybit;
mod account_bybit_stream;
mod account_coinbase;
mod account_kucoin;
mod account_kucoin_stream;
mod account_okx;
mod account_okx_stream;
mod binance;
mod bybit;
mod client;
mod coinbase;
mod faults;
mod kucoin;
mod market;
mod okx;
mod program;
