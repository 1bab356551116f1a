//! Use case: where a call goes. Judged from memory alone, without waiting.
//!
//! Who calls is known by digest, by the connection on which the device proved itself when it
//! registered, or, for what a phone may do unproven, by the flow or address of its binding. The
//! decision itself is `domain::call_route`.

use std::net::IpAddr;
use std::sync::Arc;

use super::register::Credentials;
use super::register::LATE_REFRESH;
use super::register::MD5_ALONE;
use super::register::Proof;
use super::register::Sent;
use super::register::is_nonce_good;
use super::register::issue_nonce;
use super::register::judge_with_secret;
use super::register::offered_to;
use crate::domain::binding::Binding;
use crate::domain::call_route;
use crate::domain::call_route::CallRefused;
use crate::domain::call_route::CallRoute;
use crate::domain::call_route::Caller;
use crate::domain::call_route::DialPlan;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::registration::Flow;
use crate::domain::registration::Transport;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;

/// A call, read.
#[derive(Debug, Clone, Copy)]
pub struct CallRequest<'a> {
    /// How the INVITE came.
    pub flow: Flow,
    /// User part of the Request-URI.
    pub dialled: &'a str,
    /// User part of From; empty when it has none.
    pub from_number: &'a str,
    /// Whether it came from the PBX.
    pub is_from_pbx: bool,
    /// The caller's proof, if it gave one for our realm.
    pub credentials: Option<Credentials<'a>>,
}

/// A call that was judged.
#[derive(Debug, Clone)]
pub struct JudgedCall {
    /// The device that calls, where it is known.
    pub device: Option<DeviceName>,
    /// What becomes of the call.
    pub decision: CallDecision,
}

/// What becomes of a call.
#[derive(Debug, Clone)]
pub enum CallDecision {
    /// The caller is asked for proof (407).
    Challenge {
        /// The nonce of the challenge.
        nonce: String,
        /// Whether the proof was right but for its nonce.
        is_stale: bool,
        /// One challenge for each, in this order. Source: RFC 8760 clause 2.3.
        algorithms: &'static [DigestAlgorithm],
    },
    /// It goes nowhere.
    Refused(CallRefused),
    /// The proof is nobody's, or another's than the caller claims to be.
    WrongProof,
    /// From names a number that is not the caller's own.
    ForeignNumber,
    /// To the self-provisioning dialogue.
    Ivr,
    /// To these live bindings, at least one.
    Bindings(Vec<Arc<Binding>>),
    /// To the emergency target.
    Emergency,
    /// To the PBX.
    Pbx,
    /// To the PBX, by the phone itself.
    Redirect,
}

/// Judges a call.
pub fn route_call(app: &App, call: &CallRequest<'_>) -> JudgedCall {
    let now = app.environment.now();
    let judge = Judge { app, call, now };
    if call.is_from_pbx {
        return judge.route(Caller::Pbx, None);
    }
    // First and unconditionally: nothing that may be wrong with a caller's identity, secret or
    // number stands between it and help.
    if app.settings.calls.is_emergency(call.dialled)
        && has_live_binding(app, call.flow.remote.ip(), now)
    {
        return judge.route(Caller::Unproven, None);
    }
    judge.identified()
}

fn has_live_binding(app: &App, address: IpAddr, now: UnixMillis) -> bool {
    let devices = app.locations.at_address(address);
    let mut bindings = devices
        .iter()
        .flat_map(|name| app.locations.of_device(name));
    bindings.any(|binding| binding.address() == address.to_canonical() && is_live(&binding, now))
}

fn is_live(binding: &Binding, now: UnixMillis) -> bool {
    binding.expires_at.plus(LATE_REFRESH) > now
}

/// One call and what it is judged with.
struct Judge<'a> {
    app: &'a App,
    call: &'a CallRequest<'a>,
    now: UnixMillis,
}

impl Judge<'_> {
    fn identified(&self) -> JudgedCall {
        let own = self.devices_with_number(self.call.from_number);
        if let Some(known) = own.iter().find(|known| self.is_proven_by_flow(known)) {
            return self.route(Caller::Claimed, Some(known));
        }
        let unclaimed = own.iter().find(|known| self.is_unclaimed_here(known));
        if let Some(known) = unclaimed {
            return self.route(Caller::Unclaimed, Some(known));
        }
        let Some(credentials) = &self.call.credentials else {
            return self.challenge(algorithms_of(own.first().map(|known| &**known)), false);
        };
        let address = self.call.flow.remote.ip().to_canonical();
        // Before anybody is looked for, so that it tells nothing of who there is.
        if !is_nonce_good(self.app, credentials, address, self.now) {
            return self.challenge(offered_to(credentials), true);
        }
        let Some(known) = self.device_of_user(credentials.user_name, &own) else {
            return decided(None, CallDecision::WrongProof);
        };
        let sent = Sent {
            flow: &self.call.flow,
            at: self.now,
        };
        match judge_with_secret(self.app, &known, credentials, sent) {
            Proof::Right => self.proven(&known),
            Proof::Stale => self.challenge(known.digest_algorithms(), true),
            Proof::Missing | Proof::OtherDevice | Proof::Wrong => {
                decided(None, CallDecision::WrongProof)
            }
        }
    }

    fn proven(&self, known: &KnownPhone) -> JudgedCall {
        let caller = match known.phone.state {
            DeviceState::AutoRegistered => Caller::Unclaimed,
            DeviceState::Provisioned => Caller::Claimed,
        };
        if has_line(known, self.call.from_number) {
            return self.route(caller, Some(known));
        }
        let name = &known.phone.name;
        tracing::warn!(device = %name, number = self.call.from_number,
            "a phone called with a number that is not its own");
        decided(Some(name.clone()), CallDecision::ForeignNumber)
    }

    /// Whether the device proved itself on this very connection when it registered: a binding
    /// without grace was made by the right digest, and a connection is nobody else's.
    fn is_proven_by_flow(&self, known: &KnownPhone) -> bool {
        let flow = &self.call.flow;
        known.phone.state == DeviceState::Provisioned
            && flow.transport.is_reliable()
            && self.live_bindings(known).any(|binding| {
                binding.flow().is_same_flow(flow)
                    && binding.grace.is_none()
                    && has_line(known, binding.address_of_record())
            })
    }

    /// Whether an unclaimed device calls on its own connection, or over UDP from its own address.
    fn is_unclaimed_here(&self, known: &KnownPhone) -> bool {
        let flow = &self.call.flow;
        known.phone.state == DeviceState::AutoRegistered
            && self
                .live_bindings(known)
                .any(|binding| match flow.transport {
                    Transport::Udp => binding.address() == flow.remote.ip().to_canonical(),
                    Transport::Tcp | Transport::Tls => binding.flow().is_same_flow(flow),
                })
    }

    fn live_bindings(&self, known: &KnownPhone) -> impl Iterator<Item = Arc<Binding>> {
        let bindings = self.app.locations.of_device(&known.phone.name);
        let now = self.now;
        bindings
            .into_iter()
            .filter(move |binding| is_live(binding, now))
    }

    fn devices_with_number(&self, number: &str) -> Vec<Arc<KnownPhone>> {
        let number = number.parse::<DirectoryNumber>();
        number.map_or(Vec::new(), |number| self.app.phones.of_number(&number))
    }

    /// The device with this digest user name: by its own name, or among those with the caller's
    /// number when it uses the credentials of its end user.
    fn device_of_user(&self, user_name: &str, own: &[Arc<KnownPhone>]) -> Option<Arc<KnownPhone>> {
        let has_user = |known: &Arc<KnownPhone>| known.phone.digest_user_name() == user_name;
        let by_name = user_name
            .parse()
            .ok()
            .and_then(|name| self.app.phones.find(&name))
            .filter(has_user);
        by_name.or_else(|| own.iter().find(|known| has_user(known)).cloned())
    }

    fn challenge(&self, algorithms: &'static [DigestAlgorithm], is_stale: bool) -> JudgedCall {
        let address = self.call.flow.remote.ip().to_canonical();
        let nonce = issue_nonce(self.app, address, self.now);
        decided(
            None,
            CallDecision::Challenge {
                nonce,
                is_stale,
                algorithms,
            },
        )
    }

    fn route(&self, caller: Caller, known: Option<&KnownPhone>) -> JudgedCall {
        let device = known.map(|known| known.phone.name.clone());
        let bindings = self.reachable(device.as_ref());
        let lines: Vec<Pkid> = bindings.iter().map(|(partition, _)| *partition).collect();
        let search_space = known.map_or(Vec::new(), |known| self.search_space(known));
        let routed = call_route::route(caller, self.plan(), &lines, &search_space);
        let decision = match routed {
            Ok(CallRoute::Ivr) => CallDecision::Ivr,
            Ok(CallRoute::Emergency) => CallDecision::Emergency,
            Ok(CallRoute::Line { route_partition }) => {
                let bindings = bindings.into_iter();
                let bindings = bindings.filter(|(partition, _)| *partition == route_partition);
                CallDecision::Bindings(bindings.map(|(_, binding)| binding).collect())
            }
            Ok(CallRoute::Pbx) => CallDecision::Pbx,
            Ok(CallRoute::Redirect) => CallDecision::Redirect,
            Err(CallRefused::Unproven) => return self.challenge(algorithms_of(known), false),
            Err(refused) => CallDecision::Refused(refused),
        };
        decided(device, decision)
    }

    fn plan(&self) -> DialPlan {
        let calls = &self.app.settings.calls;
        let ivr = calls.ivr_number.as_ref();
        DialPlan {
            is_ivr: ivr.is_some_and(|number| number.as_str() == self.call.dialled),
            is_emergency: calls.is_emergency(self.call.dialled),
            has_emergency_target: calls.emergency_target().is_some(),
            pbx: calls.pbx_calls(),
        }
    }

    /// The partitions that the device's calling search space has, in its order.
    fn search_space(&self, known: &KnownPhone) -> Vec<Pkid> {
        let Some(space) = known.phone.configuration.calling_search_space else {
            return Vec::new();
        };
        let catalogue = self.app.catalogue.load();
        let space = catalogue.calling_search_spaces.get(&space);
        space.map_or(Vec::new(), |space| space.route_partitions.clone())
    }

    /// The live bindings of the number dialled that this node holds, with the partition of the
    /// line, but those of the calling device itself.
    fn reachable(&self, caller: Option<&DeviceName>) -> Vec<(Pkid, Arc<Binding>)> {
        let mut reachable = Vec::new();
        for known in self.devices_with_number(self.call.dialled) {
            let phone = &known.phone;
            let line = phone
                .lines
                .iter()
                .find(|line| line.pattern.as_str() == self.call.dialled);
            let Some(line) = line.filter(|_| Some(&phone.name) != caller) else {
                continue;
            };
            let bindings = self.live_bindings(&known).filter(|binding| {
                binding.address_of_record() == self.call.dialled
                    && binding.node == self.app.node.pkid
            });
            reachable.extend(bindings.map(|binding| (line.route_partition, binding)));
        }
        reachable
    }
}

fn decided(device: Option<DeviceName>, decision: CallDecision) -> JudgedCall {
    JudgedCall { device, decision }
}

fn algorithms_of(known: Option<&KnownPhone>) -> &'static [DigestAlgorithm] {
    known.map_or(MD5_ALONE, KnownPhone::digest_algorithms)
}

fn has_line(known: &KnownPhone, number: &str) -> bool {
    let mut lines = known.phone.lines.iter();
    lines.any(|line| line.pattern.as_str() == number)
}
