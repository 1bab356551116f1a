//! Whether a phone has proven who it is.

use std::net::IpAddr;
use std::sync::Arc;

use super::nonce;
use super::nonce::NonceState;
use super::request::Credentials;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::sip_digest::Ha1;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::phone_book::KnownPhone;

/// What the credentials of a request are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::service) enum Proof {
    /// There are none.
    Missing,
    /// They are this device's, made for a nonce that is still good.
    Right,
    /// They are this device's, but the nonce is too old, another address's, or was used.
    Stale,
    /// They are another device's, and right for that one.
    OtherDevice,
    /// They are nobody's.
    Wrong,
}

/// Judges the credentials of a request that claims to be `known`.
pub(super) fn judge(
    app: &App,
    known: &KnownPhone,
    credentials: Option<&Credentials<'_>>,
    address: IpAddr,
    now: UnixMillis,
) -> Proof {
    let Some(credentials) = credentials else {
        return Proof::Missing;
    };
    if credentials.user_name == known.phone.digest_user_name() {
        let ha1 = credentials
            .algorithm
            .and_then(|algorithm| known.ha1_of(algorithm));
        return match ha1 {
            Some(ha1) => with_secret(app, ha1, credentials, address, now),
            None => Proof::Wrong,
        };
    }
    match other_device(app, credentials.user_name) {
        Some(other) if is_proven(app, &other, credentials, address, now) => Proof::OtherDevice,
        _ => Proof::Wrong,
    }
}

/// A device with this digest user name: its own name or that of its digest user.
fn other_device(app: &App, user_name: &str) -> Option<Arc<KnownPhone>> {
    let by_name = user_name.parse().ok();
    by_name
        .and_then(|name| app.phones.find(&name))
        .or_else(|| app.phones.of_digest_user(user_name).into_iter().next())
}

/// Whether the response is right for this device's secret and for a nonce of ours.
pub(super) fn is_proven(
    app: &App,
    known: &KnownPhone,
    credentials: &Credentials<'_>,
    address: IpAddr,
    now: UnixMillis,
) -> bool {
    let algorithm = credentials.algorithm;
    algorithm
        .and_then(|algorithm| known.ha1_of(algorithm))
        .is_some_and(|ha1| with_secret(app, ha1, credentials, address, now) == Proof::Right)
}

/// Judges credentials against one secret, and uses the nonce's count up when they are right. Wrong
/// ones count as guesses at the secret of their user name.
pub(in crate::service) fn with_secret(
    app: &App,
    ha1: &Ha1,
    credentials: &Credentials<'_>,
    address: IpAddr,
    now: UnixMillis,
) -> Proof {
    with_secret_of(app, credentials.user_name, ha1, credentials, (address, now))
}

/// Judges credentials against one secret, and uses the nonce's count up when they are right. Wrong
/// ones count as guesses at the secret of `owner`: the sender chooses the user name.
pub(super) fn with_secret_of(
    app: &App,
    owner: &str,
    ha1: &Ha1,
    credentials: &Credentials<'_>,
    (address, now): (IpAddr, UnixMillis),
) -> Proof {
    // Without a nonce that this address was given, nothing is said of the response: nobody can
    // try secrets without being counted, or be counted for another.
    let NonceState::Valid(nonce) = nonce::judge(app, credentials.request.nonce, address, now)
    else {
        return Proof::Stale;
    };
    let guesses = &app.registrar.guesses;
    if guesses.is_stopped(address, owner, now) {
        return Proof::Wrong;
    }
    if !is_response_right(ha1, credentials) {
        if guesses.wrong(address, owner, now) {
            metrics::counter!("selfprov_sip_guesses_stopped_total").increment(1);
            tracing::warn!(source = %address, user_name = owner,
                "somebody guesses SIP secrets; for a minute none is looked at");
        }
        return Proof::Wrong;
    }
    if app.registrar.nonces.take(nonce, credentials.count, now) {
        Proof::Right
    } else {
        Proof::Stale
    }
}

/// Whether the nonce is one that this address was given and that is still good.
pub(in crate::service) fn is_nonce_good(
    app: &App,
    credentials: &Credentials<'_>,
    address: IpAddr,
    now: UnixMillis,
) -> bool {
    let state = nonce::judge(app, credentials.request.nonce, address, now);
    matches!(state, NonceState::Valid(_))
}

/// The challenge to somebody of whom only the credentials are known: SHA-256 for who can do it.
pub(in crate::service) fn offered_to(credentials: &Credentials<'_>) -> &'static [DigestAlgorithm] {
    match credentials.algorithm {
        Some(DigestAlgorithm::Sha256) => &[DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
        Some(DigestAlgorithm::Md5) | None => &[DigestAlgorithm::Md5],
    }
}

fn is_response_right(ha1: &Ha1, credentials: &Credentials<'_>) -> bool {
    credentials.algorithm == Some(ha1.algorithm())
        && ha1.verify(&credentials.request, credentials.response)
}
