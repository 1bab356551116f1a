//! Whether a phone has proven who it is.

use std::net::IpAddr;
use std::sync::Arc;

use super::nonce;
use super::nonce::NonceState;
use super::request::Credentials;
use crate::domain::device::DeviceName;
use crate::domain::registration::Flow;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::sip_digest::Ha1;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;

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

/// Where credentials come from and when.
#[derive(Clone, Copy)]
pub(in crate::service) struct Sent<'a> {
    /// The flow that the request came on.
    pub(in crate::service) flow: &'a Flow,
    /// Now.
    pub(in crate::service) at: UnixMillis,
}

impl Sent<'_> {
    fn address(&self) -> IpAddr {
        self.flow.remote.ip().to_canonical()
    }

    /// Whether it came on the flow of a live binding of this device. Who is there has proven itself,
    /// or is the phone that the device was made for.
    fn is_on_flow_of(&self, app: &App, name: &DeviceName) -> bool {
        let bindings = app.locations.of_device(name);
        bindings.iter().any(|binding| {
            binding.flow().is_same_flow(self.flow)
                && binding.expires_at.plus(super::LATE_REFRESH) > self.at
        })
    }
}

/// Judges the credentials of a request that claims to be `known`.
pub(super) fn judge(
    app: &App,
    known: &KnownPhone,
    credentials: Option<&Credentials<'_>>,
    sent: Sent<'_>,
) -> Proof {
    let Some(credentials) = credentials else {
        return Proof::Missing;
    };
    if credentials.user_name == known.phone.digest_user_name() {
        return with_secret(app, known, credentials, sent);
    }
    match other_device(app, credentials.user_name) {
        Some(other) if is_proven(app, &other, credentials, sent) => Proof::OtherDevice,
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
    sent: Sent<'_>,
) -> bool {
    with_secret(app, known, credentials, sent) == Proof::Right
}

/// Judges credentials against the device's secret, and uses the nonce's count up when they are
/// right. Wrong ones count as guesses at a digest user's secret, which people choose. A device's
/// own is random: nobody finds it by guessing, and were guesses counted, a neighbour behind the
/// same address could lock the phone out. Nor can one on the flow that a phone is registered by.
pub(in crate::service) fn with_secret(
    app: &App,
    known: &KnownPhone,
    credentials: &Credentials<'_>,
    sent: Sent<'_>,
) -> Proof {
    let ha1 = credentials
        .algorithm
        .and_then(|algorithm| known.ha1_of(algorithm));
    let Some(ha1) = ha1 else {
        return Proof::Wrong;
    };
    let phone = &known.phone;
    let user = phone.digest.digest_user.as_ref();
    let user = user.filter(|_| !sent.is_on_flow_of(app, &phone.name));
    with_ha1(app, user.map(|user| &*user.user_id), ha1, credentials, sent)
}

/// Judges credentials against an old secret of a device, whose own or whose user's it was; guesses
/// at it count for the device, because the sender chooses the user name.
pub(super) fn with_old_secret(
    app: &App,
    name: &DeviceName,
    ha1: &Ha1,
    credentials: &Credentials<'_>,
    sent: Sent<'_>,
) -> Proof {
    let counted = (!sent.is_on_flow_of(app, name)).then_some(name.as_str());
    with_ha1(app, counted, ha1, credentials, sent)
}

/// Judges credentials; wrong ones count as guesses for `counted`, if for anybody.
fn with_ha1(
    app: &App,
    counted: Option<&str>,
    ha1: &Ha1,
    credentials: &Credentials<'_>,
    sent: Sent<'_>,
) -> Proof {
    let (address, now) = (sent.address(), sent.at);
    // Without a nonce that this address was given, nothing is said of the response: nobody can
    // try secrets without being counted, or be counted for another.
    let NonceState::Valid(nonce) = nonce::judge(app, credentials.request.nonce, address, now)
    else {
        return Proof::Stale;
    };
    let guesses = &app.registrar.guesses;
    if counted.is_some_and(|owner| guesses.is_stopped(address, owner, now)) {
        return Proof::Wrong;
    }
    if !is_response_right(ha1, credentials) {
        if let Some(owner) = counted.filter(|owner| guesses.wrong(address, owner, now)) {
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
