//! The session cookie of a program: who it is, sealed, so that every node can read it and none has
//! to keep it.
//!
//! It is bound to the address and to the version of the password, and ends half an hour after its
//! last use.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::api_login;
use super::api_login::Principal;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;
use crate::store::StoreError;

/// How long an unused session lives. Source: AXL Developer Guide, 30 minutes.
const IDLE_MAX: Duration = Duration::from_mins(30);

/// Age after which an answer carries a fresh cookie: not each one needs one.
const RENEW_AFTER: Duration = Duration::from_mins(1);

/// Bytes of the keyed digest in a cookie.
const TAG_BYTES: usize = 32;

/// A session that a cookie named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub principal: Principal,
    /// Whether the answer should carry a fresh cookie.
    pub is_stale: bool,
}

/// A cookie for somebody who has just shown a password, or whose cookie is getting old.
///
/// # Errors
///
/// [`KeysError`] when the key file cannot be used.
pub fn issue(app: &App, principal: &Principal, source: IpAddr) -> Result<String, KeysError> {
    let body = format!(
        "{}.{}.{}",
        app.environment.now().0,
        principal.credential_version,
        principal.user_id
    );
    let tag = app.keys.sign(Purpose::ApiSession, &bound(&body, source))?;
    Ok(URL_SAFE_NO_PAD.encode([body.as_bytes(), &tag[..]].concat()))
}

/// Whose session a cookie is; `None` when it is none of ours, too old, of another address, or when
/// the account has changed.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn open(app: &App, cookie: &str, source: IpAddr) -> Result<Option<Session>, StoreError> {
    let Some((issued_at, version, user_id)) = read(app, cookie, source) else {
        return Ok(None);
    };
    let now = app.environment.now();
    let age = now.since(issued_at);
    if age > IDLE_MAX {
        return Ok(None);
    }
    let principal = api_login::find(app, &user_id, version).await?;
    Ok(principal.map(|principal| Session {
        principal,
        is_stale: age > RENEW_AFTER,
    }))
}

fn read(app: &App, cookie: &str, source: IpAddr) -> Option<(UnixMillis, i64, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
    let body = std::str::from_utf8(body).ok()?;
    let signed = bound(body, source);
    if !app.keys.verify(Purpose::ApiSession, &signed, tag) {
        return None;
    }
    let mut parts = body.splitn(3, '.');
    let issued_at = parts.next()?.parse().ok()?;
    let version = parts.next()?.parse().ok()?;
    Some((UnixMillis(issued_at), version, parts.next()?.to_owned()))
}

fn bound(body: &str, source: IpAddr) -> Vec<u8> {
    format!("{}\n{body}", source.to_canonical()).into_bytes()
}
