//! Optional bearer tokens: JWT with HS256, as execution clients use between programs of one operator.

use super::ServerConfig;
use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use sha2::Sha256;
use std::fmt;
use std::time::{Duration, SystemTime};

/// A token's `iat` may differ from the clock by this much, either way.
const AGE_MAX: Duration = Duration::from_secs(60);

/// The shared secret of the tokens: 32 bytes.
#[derive(Clone)]
pub struct JwtSecret([u8; 32]);

impl JwtSecret {
    /// Reads the content of a secret file: 64 hex digits, `0x` and white space around optional.
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// A token that is good for a minute from `now` on.
    pub fn token(&self, now: SystemTime) -> String {
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"iat":{seconds}}}"#));
        let signed = format!("{head}.{claims}");
        let tag = self.mac(&signed).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(signed.as_bytes());
        mac
    }

    /// Checks a token: HS256, the right tag (in constant time), issued within a minute of `now`, not expired.
    fn check(&self, token: &str, now: SystemTime) -> Result<(), &'static str> {
        #[derive(Deserialize)]
        struct Head {
            alg: String,
        }
        #[derive(Deserialize)]
        struct Claims {
            iat: u64,
            exp: Option<u64>,
        }
        const SHAPE: &str = "the bearer token is not a JWT with an `iat` claim";
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| SHAPE);
        let (signed, tag) = token.rsplit_once('.').ok_or(SHAPE)?;
        let (head, claims) = signed.split_once('.').ok_or(SHAPE)?;
        self.mac(signed).verify_slice(&decoded(tag)?).map_err(|_| "the bearer token has a wrong signature")?;
        let head: Head = serde_json::from_slice(&decoded(head)?).map_err(|_| SHAPE)?;
        let claims: Claims = serde_json::from_slice(&decoded(claims)?).map_err(|_| SHAPE)?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        match () {
            () if head.alg != "HS256" => Err("the bearer token is not signed with HS256"),
            () if now.abs_diff(claims.iat) > AGE_MAX.as_secs() => {
                Err("the bearer token was issued more than a minute from now")
            }
            () if claims.exp.is_some_and(|exp| exp < now) => Err("the bearer token has expired"),
            () => Ok(()),
        }
    }
}

impl fmt::Debug for JwtSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtSecret(..)")
    }
}

impl ServerConfig {
    /// Checks the `Authorization` header, if this server wants one.
    pub(super) fn authorize(&self, headers: &HeaderMap) -> Result<(), &'static str> {
        let Some(secret) = &self.jwt_secret else { return Ok(()) };
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (scheme, token) = header.split_once(' ').unwrap_or_default();
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err("this node wants an `Authorization: Bearer` header");
        }
        secret.check(token.trim(), SystemTime::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let secret = JwtSecret::from_hex(&format!("0x{}\n", "ab".repeat(32))).expect("64 digits");
        let other = JwtSecret::from_hex(&"cd".repeat(32)).expect("64 digits");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let token = secret.token(now);
        assert_eq!(secret.check(&token, now), Ok(()));
        assert_eq!(secret.check(&token, now + AGE_MAX), Ok(()));
        assert!(secret.check(&token, now + AGE_MAX + Duration::from_secs(1)).is_err());
        assert!(secret.check(&token, now - AGE_MAX - Duration::from_secs(1)).is_err());
        assert!(other.check(&token, now).is_err());
        for bad in ["", "a.b.c", "..", &token[1..], &token[..token.len() - 1]] {
            assert!(secret.check(bad, now).is_err(), "{bad}");
        }
        assert!(JwtSecret::from_hex("abcd").is_none());
    }

    /// The example of jwt.io's debugger has no `iat` near now; the tag of a token is checked against RFC 7515 A.1.
    #[test]
    fn tag_is_rfc_7515s() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let key = URL_SAFE_NO_PAD.decode(key).expect("base64url");
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
            eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length");
        mac.update(signed.as_bytes());
        assert_eq!(URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }
}
