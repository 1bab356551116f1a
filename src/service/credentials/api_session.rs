//! The session cookie of a program: who it is, sealed, so that every node can read it and none has
//! to keep it.
//!
//! It is bound to the address, the account, its user ID and the version of its password, and ends half
//! an hour after its last use.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::api_login;
use super::api_login::Principal;
use super::api_login::ShownPassword;
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
        "{}.{}.{}.{}",
        app.environment.now().0,
        principal.account,
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
    let Some(content) = read(app, cookie, source) else {
        return Ok(None);
    };
    let age = app.environment.now().since(content.issued_at);
    if age > IDLE_MAX {
        return Ok(None);
    }
    let principal = api_login::find(app, &content.user_id, content.shown).await?;
    Ok(principal.map(|principal| Session {
        principal,
        is_stale: age > RENEW_AFTER,
    }))
}

/// What a cookie says.
struct Content {
    issued_at: UnixMillis,
    shown: ShownPassword,
    user_id: String,
}

fn read(app: &App, cookie: &str, source: IpAddr) -> Option<Content> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (body, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
    let body = std::str::from_utf8(body).ok()?;
    let signed = bound(body, source);
    if !app.keys.verify(Purpose::ApiSession, &signed, tag) {
        return None;
    }
    let mut parts = body.splitn(4, '.');
    Some(Content {
        issued_at: UnixMillis(parts.next()?.parse().ok()?),
        shown: ShownPassword {
            account: parts.next()?.parse().ok()?,
            version: parts.next()?.parse().ok()?,
        },
        user_id: parts.next()?.to_owned(),
    })
}

fn bound(body: &str, source: IpAddr) -> Vec<u8> {
    format!("{}\n{body}", source.to_canonical()).into_bytes()
}
