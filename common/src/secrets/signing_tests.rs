//! The vectors of the venues' documents and libraries, one test a venue.

use super::*;

const BINANCE: &str = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
const BINANCE_KEY: &str = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";

#[test]
fn binance_hmac() {
    let order = |symbol: &str| {
        format!(
            "symbol={symbol}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559"
        )
    };
    let socket = |rest: &str| format!("apiKey={BINANCE_KEY}&{rest}");
    for (text, signature) in [
        (order("LTCBTC"), "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        (
            order("%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96"),
            "e1353ec6b14d888f1164ae9af8228a3dbd508bc82eb867db8ab6046442f33ef3",
        ),
        (
            socket(
                "price=52000.00&quantity=0.01000000&recvWindow=100&side=SELL&symbol=BTCUSDT&timeInForce=GTC&timestamp=1645423376532&type=LIMIT",
            ),
            "aa1b5712c094bc4e57c05a1a5c1fd8d88dcd628338ea863fec7b88e59fe2db24",
        ),
        (
            "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000".into(),
            "821af6641542547413c6f4364e0c62f100d8d746e0ed17277e290acd6214876f",
        ),
        ("timestamp=1700000000000".into(), "11ce6b18ed8a095f39e30a856dfee442c52b2a29d2b28dd45ef0efd52e7b383a"),
        (socket("timestamp=1700000000000"), "00c94588a012feaade12a8cbf80b3c3de219102ed19552e0a3645dd022cf84e8"),
        (
            socket("recvWindow=5000&timestamp=1700000000000"),
            "be706daf71f9ef8eaeecc8a5a91895c48c3d6a830b5e8e247fe2448cb8b2da6b",
        ),
    ] {
        assert_eq!(hmac_hex(BINANCE, &text), signature, "{text}");
    }
}

/// RFC 8032, test 1.
const RFC_8032: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----";

#[test]
fn binance_ed25519() {
    let socket = "apiKey=4yNzx3yWC5bS6YTwEkSRaC0nRmSQIIStAUOh1b6kqaBrTLIhjCpI5lJH8q8R8WNO&timestamp=1700000000000";
    for pem in [RFC_8032.to_owned(), RFC_8032.replace('\n', "\\n"), RFC_8032.replace('\n', "\r\n") + "\r\n"] {
        let key = PrivateKey::read(&pem).unwrap();
        for (text, signature) in [
            (
                "omitZeroBalances=true&recvWindow=5000&timestamp=1700000000000",
                "+q2/KEEwEEFQfr5cFY8/9IMzzGZ/wIxK/FRNidgZ/FMv6M+NeqvnHoRznobUsOp/ocFnoG4mX0JBfph2X+wgAg==",
            ),
            (
                "timestamp=1700000000000",
                "eILlxhgvRt5udvWNsEy5mCzV7paA7Qxr2V0YiMR4K1AQd9IxdtyJ98DEHBgLDVV0UKAkxYMpExL6Zh5RyBCiBA==",
            ),
            (socket, "Jkmt699NkwIGUIRaQfG1Vnc/mhOu6A0RJHifPV2/2Xe8NWHDgrNHkfMxt9QENJuWHPuq9ptTx/VJb9MKQDGyDQ=="),
        ] {
            assert_eq!(key.base64(text), signature, "{text}");
        }
    }
}

#[test]
fn kucoin() {
    let secret = "3f1d2c7e-9a55-4c0b-8a10-0123456789ab";
    assert_eq!(hmac_base64(secret, "Passw0rd-example"), "jTcnrny+hYOBxIPOlIYJmaAHVW+1QM/OdYlDMEVmZV4=");
    for (text, signature) in [
        ("GET/api/v1/accounts?currency=USDT&type=trade", "s0WjfExrgzo47gJ8bOYeSzyViWqbD2RpCfo9GEQGSLM="),
        ("POST/api/v1/bullet-private", "I4fkBXk6O37ayWmU2viiVhKlvpZEzrYYkfrGS82q+Kg="),
        ("GET/api/v1/account-overview?currency=USDT", "4Fr43uNapL27+3uLo+W+oeNVgn+4zmEPT7xe91mITVI="),
        ("POST/api/websocket/users/verify", "Ek4IwYUwX8qWyXgoMhl9oBlaO4c5uUEkztr1wjp9ps4="),
        ("GET/api/v1/trade-fees?symbols=BTC-USDT,ETH-USDT", "Q+K9U3ab6Wsd9tWHg14FbMkpyxPZK2Tj2rDgj217O5o="),
        ("GET/api/v1/user/api-key", "5Lar/N65U/xKcq5G0UHZuZBwUZNz84WmAD2WuRTug/k="),
    ] {
        assert_eq!(hmac_base64(secret, &format!("1767225600000{text}")), signature, "{text}");
    }
}

#[test]
fn bybit() {
    for (payload, signature) in [
        ("category=linear&symbol=BTCUSDT", "fd4f31228a46109dc6673062328693696df9a96c7ff04e6491a45e7f63a0fdd7"),
        (
            r#"{"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "test-order-1"}"#,
            "2df4a0603d69c08d5dea29ba85b46eb7db64ce9e9ebd34a7802a3d69700cb2a1",
        ),
        ("accountType=UNIFIED", "79f4e0d1d51812c554fdb1c0dfdb83dc9c9e0be0c62bf52e83a7340456548595"),
        ("", "cfffd774219bfa1d400476f699f830daaedcd3c41faa1dbdda95a8f4dd8170cc"),
    ] {
        let text = format!("1700000000000test_api_key5000{payload}");
        assert_eq!(hmac_hex("test_secret", &text), signature, "{payload}");
    }
    assert_eq!(
        hmac_hex("test_secret", "GET/realtime1700000000000"),
        "bacffe7500499eb829bb58c45d36d1b3e5ac67c14eaeba91df5e99ccee013925"
    );
}

#[test]
fn okx() {
    let secret = "22582BD0CFF14C41EDBF1AB98506286D";
    for (secret, text, signature) in [
        (
            "chNOOS4KvNXR_Xq4k4c9qsfoKWvnDecLATCRlcBwyKDYnWgO",
            "2020-12-08T09:08:57.715ZGET/api/v5/account/balance",
            "PJ61e1nb2F2Qd7D8SPiaIcx2gjdELc+o0ygzre9z33k=",
        ),
        (
            secret,
            "2020-12-08T09:08:57.715ZGET/api/v5/account/balance?ccy=BTC",
            "HiZhvSfMtWJA3uUIVXV3a/bSXNPCWvYFXoGCVS8V4zY=",
        ),
        (secret, "2020-12-08T09:08:57.715ZGET/api/v5/account/config", "Kr/8IrbDYujS4cg2KkmB+tO2HMUXxyayG6ZwNb4H/yA="),
        (
            secret,
            r#"2020-12-08T09:08:57.715ZPOST/api/v5/trade/order{"instId":"BTC-USDT","lever":"5","externalOidPrefix":"test"}"#,
            "kRifwAtry1b1zpLT5TSZ+RzQWhcovZyoFh3M4o0eVqw=",
        ),
        (secret, "1704876947GET/users/self/verify", "5/36BgGV6m/6pmdc20zdqk0mzF5ZalmzzPD2fo3wavU="),
    ] {
        assert_eq!(hmac_base64(secret, text), signature, "{text}");
    }
}

const NAME: &str = "organizations/test-organization/apiKeys/test-api-key";
const NONCE: &str = "00112233445566778899aabbccddeeff";
const REST: &str = r#"{"sub":"organizations/test-organization/apiKeys/test-api-key","iss":"cdp","nbf":1700000000,"exp":1700000120,"uri":"GET api.coinbase.com/api/v3/brokerage/accounts"}"#;
const SOCKET: &str =
    r#"{"sub":"organizations/test-organization/apiKeys/test-api-key","iss":"cdp","nbf":1700000000,"exp":1700000120}"#;

fn signature(jwt: &str) -> &str {
    jwt.rsplit('.').next().unwrap()
}

#[test]
fn coinbase_es256() {
    let body = "MHcCAQEEIKwf3Uox30cRWzRBOPoPOH5p0Gpb0Dt8zUKXUEM5fMkGoAoGCCqGSM49AwEHoUQDQgAEbAtpLlSZYVOwYICz+uEyxcS29vRIujiES/gQ1DC7FV4zK4JuYE9vqDyGZQYjdXHLM7I6f/QnnOITL+dXYWBHRA==";
    let wrapped: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN EC PRIVATE KEY-----\n{}\n-----END EC PRIVATE KEY-----\n", wrapped.join("\n"));
    let key = PrivateKey::read(&pem.replace('\n', "\\n")).unwrap();
    let jwt = key.jwt(NAME, NONCE, REST);
    let input = "eyJhbGciOiJFUzI1NiIsImtpZCI6Im9yZ2FuaXphdGlvbnMvdGVzdC1vcmdhbml6YXRpb24vYXBpS2V5cy90ZXN0LWFwaS1rZXkiLCJub25jZSI6IjAwMTEyMjMzNDQ1NTY2Nzc4ODk5YWFiYmNjZGRlZWZmIiwidHlwIjoiSldUIn0.eyJzdWIiOiJvcmdhbml6YXRpb25zL3Rlc3Qtb3JnYW5pemF0aW9uL2FwaUtleXMvdGVzdC1hcGkta2V5IiwiaXNzIjoiY2RwIiwibmJmIjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDAxMjAsInVyaSI6IkdFVCBhcGkuY29pbmJhc2UuY29tL2FwaS92My9icm9rZXJhZ2UvYWNjb3VudHMifQ";
    assert_eq!(jwt.rsplit_once('.').unwrap().0, input);
    assert_eq!(
        signature(&jwt),
        "Lu-m6yThIDEIIkxD-AQ0RaHVhae0nVCV2Gx2WX1JXCpPgxDYk5G2QrFmvDYwmh2csYNGO-_A4t27mmWveZAU4g"
    );
    assert_eq!(
        signature(&key.jwt(NAME, NONCE, SOCKET)),
        "L9AomHKM2FbNpmywdJ_W-faNhTZ85nWZgYiKyXBUVffwhv-n04z0N8HMBNQs80UGX70wrSG9AlZrIsR21GH8Ag"
    );
}

#[test]
fn coinbase_eddsa() {
    for secret in [
        "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputDOKsRAwgyrpEQLeBtS1znTmzPX6Xr2eOWpzx6nW8knkA==",
        " k0BUni0p0vZG1BdpVjS6ogBJ7kxm630A\nJ2dN+tuputA=\n",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJNAVJ4tKdL2RtQXaVY0uqIASe5MZut9ACdnTfrbqbrQ\n-----END PRIVATE KEY-----\n",
    ] {
        let key = PrivateKey::read(secret).unwrap();
        assert_eq!(
            signature(&key.jwt(NAME, NONCE, REST)),
            "VKxvz0b5LzwhWX-Fz9sB1un4A3tuMxE5h_BbeY_tyyiZjwfoH7TDfKQYpucjbLrQcAjvRpEL1hXPGIS0SB3YAA"
        );
        assert_eq!(
            signature(&key.jwt(NAME, NONCE, SOCKET)),
            "loRlsE9Nxjitd6W4MzwGyPoFMZGVdgR6lfquZdzuth30OuwBjIKI6ZrExlgf860l0Kb42aWZFNB9W_NaE78CAQ"
        );
    }
}

#[test]
fn what_is_not_a_key_is_named_and_not_shown() {
    for (secret, told) in [
        ("hunter2!", "neither PEM nor base64"),
        ("aHVudGVyMg==", "32 or 64 bytes"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "RSA"),
        ("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----", "damaged"),
    ] {
        let error = PrivateKey::read(secret).unwrap_err();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(format!("{:?}", PrivateKey::read(RFC_8032).unwrap()), "PrivateKey(..)");
}
