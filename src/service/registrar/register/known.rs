//! A REGISTER of a device that exists: proof, identity, and what becomes of its bindings.

use std::sync::Arc;
use std::time::Duration;

use super::Decision;
use super::GOING_DOWN;
use super::Judge;
use super::LATE_REFRESH;
use super::MD5_ALONE;
use super::RegisterOutcome;
use super::proof;
use super::proof::Proof;
use super::request::ContactChange;
use super::shown;
use super::shown::Shown;
use super::work::Work;
use super::work::with_others;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::AtRegistration;
use crate::domain::registration_refused::RegistrationRefused;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::devices::phone_book::ha1;
use crate::service::group_commit::BindingChange;
use crate::service::history::record::Happening;

/// `SHA-256 or MD5`.
fn in_words(algorithms: &[DigestAlgorithm]) -> String {
    let names: Vec<&str> = algorithms.iter().map(|one| one.as_str()).collect();
    names.join(" or ")
}

impl Judge<'_> {
    pub(super) fn known(&self, known: &KnownPhone) -> Decision {
        let credentials = self.request.credentials.as_ref();
        let proof = proof::judge(self.app, known, credentials, self.sent());
        match proof {
            Proof::Right => self.proven(known),
            Proof::OtherDevice => self.borrowed_identity(&known.phone),
            Proof::Missing | Proof::Stale | Proof::Wrong => self
                .graced(&known.phone.name)
                .or_else(|| self.unproven_removal(known))
                .unwrap_or_else(|| self.not_proven(known, proof)),
        }
    }

    /// Whether the request takes bindings back.
    pub(super) fn is_removal(&self) -> bool {
        match self.request.change {
            ContactChange::RemoveAll => true,
            ContactChange::Set { expires_s, .. } => expires_s == Some(0),
            ContactChange::Query => false,
        }
    }

    fn live(&self, name: &DeviceName) -> Option<Arc<Binding>> {
        let bindings = self.app.locations.of_device(name);
        bindings
            .into_iter()
            .find(|binding| binding.address_of_record() == self.request.address_of_record)
            .filter(|binding| binding.expires_at.plus(LATE_REFRESH) > self.now)
    }

    fn is_same_boot(&self, binding: &Binding) -> bool {
        binding.call_id() == self.request.call_id && binding.address() == self.request.address()
    }

    /// The device has proven itself: what it asks for is done for its own lines.
    fn proven(&self, known: &KnownPhone) -> Decision {
        let phone = &known.phone;
        let is_own_line = phone
            .lines
            .iter()
            .any(|line| line.pattern.as_str() == self.request.address_of_record);
        if self.is_removal() {
            let live = self.to_remove(known);
            if live.as_ref().is_some_and(|live| self.is_out_of_order(live)) {
                return self.refuse(RegistrationRefused::OutOfOrder);
            }
            return self.remove(known, live);
        }
        if !is_own_line {
            let detail = format!(
                "{} registered as {:?}, which is none of its lines",
                phone.name, self.request.address_of_record
            );
            let reason = RegistrationRefused::DirectoryNumberMismatch;
            return self.refuse_and_report(Some(&phone.name), reason, detail);
        }
        if let Some(outcome) = self.prolong(&phone.name) {
            let shown = self.shown_to(known);
            return Decision::Answer(with_others(self.app, outcome, shown.as_ref()));
        }
        self.bind(known)
    }

    /// The live binding that the request takes back. Another maker's device may take back a
    /// Contact that it has replaced since, which leaves the new one; a Cisco phone has one Contact
    /// at a time. Source: RFC 3261 clause 10.3 step 7.
    fn to_remove(&self, known: &KnownPhone) -> Option<Arc<Binding>> {
        let live = self.live(&known.phone.name)?;
        let is_meant = match self.request.change {
            ContactChange::Set { contact, .. } if known.is_found_by_account() => {
                (self.request.names_same_uri)(live.contact(), contact)
            }
            _ => true,
        };
        is_meant.then_some(live)
    }

    /// Who is to see the bindings of others.
    fn shown_to(&self, known: &KnownPhone) -> Option<Shown> {
        Shown::to(known, self.request.address_of_record)
    }

    /// Whether the binding was made or refreshed by a later request of the same boot: what came
    /// late must not undo it. Source: RFC 3261 clause 10.3 step 7.
    fn is_out_of_order(&self, binding: &Binding) -> bool {
        binding.call_id() == self.request.call_id && self.request.cseq <= binding.cseq
    }

    /// A refresh that changes nothing but the expiry, or one that came too late to change
    /// anything; `None` when it changes more.
    fn prolong(&self, name: &DeviceName) -> Option<RegisterOutcome> {
        let request = self.request;
        let ContactChange::Set { contact, .. } = request.change else {
            return None;
        };
        let expires_s = self.granted_s();
        let now = self.now;
        self.app
            .locations
            .update(name, request.address_of_record, |binding| {
                if binding.expires_at.plus(LATE_REFRESH) <= now {
                    return None;
                }
                if self.is_out_of_order(binding) {
                    let reason = RegistrationRefused::OutOfOrder;
                    return Some(RegisterOutcome::Refused(reason));
                }
                let is_refresh = !binding.is_going_down()
                    && binding.flow().is_same_flow(&request.flow)
                    && binding.call_id() == request.call_id
                    && binding.contact() == contact;
                is_refresh.then(|| {
                    binding.cseq = request.cseq;
                    binding.expires_at = now.plus(Duration::from_secs(expires_s.into()));
                    RegisterOutcome::Granted {
                        expires_s,
                        is_new: false,
                        others: Vec::new(),
                    }
                })
            })
            .flatten()
    }

    /// A new or changed binding of a proven device.
    fn bind(&self, known: &KnownPhone) -> Decision {
        let phone = &known.phone;
        let name = &phone.name;
        let Some(binding) = self.wanted(name.clone()) else {
            let number = self.request.address_of_record;
            let bindings = shown::of_line(self.app, known, number, self.now);
            return Decision::Answer(RegisterOutcome::Bound(bindings));
        };
        let before = self.app.locations.of_device(name);
        let live = self.live(name);
        let is_new = live
            .as_ref()
            .is_none_or(|old| old.call_id() != binding.call_id());
        let is_line = |number: &str| {
            phone
                .lines
                .iter()
                .any(|line| line.pattern.as_str() == number)
        };
        let obsolete = before
            .iter()
            .map(|old| old.address_of_record())
            .filter(|number| *number != binding.address_of_record() && !is_line(number))
            .map(Box::from)
            .collect();
        let is_there = |old: &Arc<Binding>| {
            old.expires_at.plus(LATE_REFRESH) > self.now && !old.is_going_down()
        };
        let was_gone = !before.iter().any(is_there);
        let was_graced = before.iter().any(|old| old.grace.is_some());
        let address = binding.address();
        let learns_model = phone.model.is_none() && binding.model.is_some();
        let detail = match &live {
            Some(old) if old.address() != address => {
                format!(
                    "{} moved from {}",
                    binding.address_of_record(),
                    old.address()
                )
            }
            _ => format!(
                "{} over {}",
                binding.address_of_record(),
                binding.flow().transport
            ),
        };
        let happening = Happening {
            detail,
            source: Some(address),
            ..Happening::default()
        };
        let moved = live.is_none_or(|old| old.address() != address);
        let change = BindingChange {
            device: Some(phone.pkid),
            device_changes: phone.registered_address != Some(address) || learns_model,
            obsolete,
            happening: (is_new || moved).then_some(happening),
            restart: self.app.phone_control.at_registration(
                name,
                binding.call_id(),
                phone.file_fetched_at,
                was_gone,
            ),
            ends_grace: is_new && was_graced,
            binding,
        };
        let shown = self.shown_to(known);
        Decision::Work(Work::bind(self.app, change, is_new, shown))
    }

    fn remove(&self, known: &KnownPhone, binding: Option<Arc<Binding>>) -> Decision {
        let shown = self.shown_to(known);
        if let Some(binding) = binding {
            return Decision::Work(Work::unbind(self.app, &binding, shown));
        }
        let outcome = RegisterOutcome::Unregistered { left: Vec::new() };
        Decision::Answer(with_others(self.app, outcome, shown.as_ref()))
    }

    /// A phone that goes down without proof: on its own connection its binding goes at once; from
    /// its own address with its own Call-ID it goes unless the phone comes back.
    fn unproven_removal(&self, known: &KnownPhone) -> Option<Decision> {
        let name = &known.phone.name;
        let binding = self.to_remove(known).filter(|_| self.is_removal())?;
        if self.is_out_of_order(&binding) {
            return None;
        }
        let flow = &self.request.flow;
        if flow.transport.is_reliable() && binding.flow().is_same_flow(flow) {
            return Some(self.remove(known, Some(binding)));
        }
        if !self.is_same_boot(&binding) {
            return None;
        }
        // What is late by `LATE_REFRESH` is swept.
        let ends_at = self.now.plus(GOING_DOWN).minus(LATE_REFRESH);
        let number = self.request.address_of_record;
        self.app.locations.update(name, number, |binding| {
            binding.expires_at = binding.expires_at.min(ends_at);
            binding.expires_s = 0;
        });
        // Without proof nobody learns what others have bound.
        let outcome = RegisterOutcome::Unregistered { left: Vec::new() };
        Some(Decision::Answer(outcome))
    }

    /// An old binding in its grace: the same boot may refresh it, with the old secret if it needed
    /// one. Each such refresh says that the phone has not loaded its new file: it is asked again.
    pub(super) fn graced(&self, name: &DeviceName) -> Option<Decision> {
        let binding = self
            .live(name)
            .filter(|binding| self.is_same_boot(binding))?;
        let grace = binding.grace.as_ref();
        let grace = grace.filter(|grace| grace.until > self.now && !self.is_removal())?;
        let known = self.app.phones.find(name);
        let algorithms = known.map_or(MD5_ALONE, |known| known.digest_algorithms());
        if let Some(sealed) = &grace.sealed_secret {
            let Some(credentials) = &self.request.credentials else {
                return Some(self.challenge(algorithms, false));
            };
            let secret = self.app.keys.open_secret(sealed).ok()?;
            let algorithm = credentials.algorithm?;
            let ha1 = ha1(algorithm, credentials.user_name, &secret);
            match proof::with_old_secret(self.app, name, &ha1, credentials, self.sent()) {
                Proof::Right => {}
                Proof::Stale => return Some(self.challenge(algorithms, true)),
                _ => return None,
            }
        }
        let grace = binding.grace.clone();
        drop(binding);
        self.app.phone_control.nudge(name, self.now);
        if let Some(outcome) = self.prolong(name) {
            return Some(Decision::Answer(outcome));
        }
        let mut binding = self.wanted(name.clone())?;
        binding.grace = grace;
        let change = BindingChange {
            binding,
            device: None,
            device_changes: false,
            obsolete: Vec::new(),
            happening: None,
            restart: AtRegistration::NotOwed,
            ends_grace: false,
        };
        Some(Decision::Work(Work::bind(self.app, change, false, None)))
    }

    fn borrowed_identity(&self, phone: &Phone) -> Decision {
        let credentials = self.request.credentials.as_ref();
        let user_name = credentials.map_or("", |credentials| credentials.user_name);
        let detail = format!("{user_name} proved itself and claimed to be {}", phone.name);
        let reason = RegistrationRefused::DirectoryNumberMismatch;
        self.refuse_and_report(Some(&phone.name), reason, detail)
    }

    /// No proof and no exception: the device is asked for proof, and told of where it looks as if
    /// two claimed one name.
    fn not_proven(&self, known: &KnownPhone, proof: Proof) -> Decision {
        let phone = &known.phone;
        let name = &phone.name;
        if known.ha1.is_none() {
            let detail = format!("{name} has no digest secret; set its digest user's credentials");
            let reason = RegistrationRefused::AuthenticationError;
            return self.refuse_known(known, reason, detail);
        }
        let algorithms = known.digest_algorithms();
        if proof == Proof::Stale {
            return self.challenge(algorithms, true);
        }
        if let Some(credentials) = self.request.credentials.as_ref()
            && credentials.algorithm.is_none()
        {
            let detail = format!(
                "{name} answered with an algorithm that it was not challenged with; only {} is \
                 accepted, no -sess variant",
                in_words(algorithms)
            );
            let reason = RegistrationRefused::AuthenticationError;
            return self.refuse_known(known, reason, detail);
        }
        let address = self.request.address();
        let elsewhere = self
            .app
            .locations
            .of_device(name)
            .into_iter()
            .find(|binding| {
                binding.address() != address && binding.expires_at.plus(LATE_REFRESH) > self.now
            });
        if let Some(other) = elsewhere {
            return self.second_claimant(known, &other, proof);
        }
        if proof == Proof::Wrong {
            let detail = format!("{name} gave a wrong secret; it may hold an old file");
            return self.challenge_and_report(known, "authenticationError", detail);
        }
        self.challenge(algorithms, false)
    }

    /// Another address claims the name of a phone that is registered. Proof decides; a phone that
    /// has not fetched its secret yet cannot be the one that moved. One that has is asked for proof
    /// first, which is no refusal: every phone that moves begins so.
    fn second_claimant(&self, known: &KnownPhone, other: &Binding, proof: Proof) -> Decision {
        let phone = &known.phone;
        let name = &phone.name;
        let how = match proof {
            Proof::Missing => "without proof",
            _ => "with a wrong secret",
        };
        let detail = format!(
            "{name} is registered from {} and was claimed from {} {how}",
            other.address(),
            self.request.address()
        );
        let reason = RegistrationRefused::DeviceAlreadyExists;
        let has_file =
            phone.file_fetched_at.is_some() || self.app.file_notes.has_fetched(phone.pkid);
        let cannot_prove = phone.state == DeviceState::AutoRegistered && !has_file;
        match proof {
            _ if cannot_prove => self.refuse_known(known, reason, detail),
            Proof::Missing => self.challenge(known.digest_algorithms(), false),
            _ => self.challenge_and_report(known, reason.code(), detail),
        }
    }

    /// Refuses who says that it is this device. Who names no device is challenged all the same: it
    /// learns nothing of the account that it tries.
    fn refuse_known(
        &self,
        known: &KnownPhone,
        reason: RegistrationRefused,
        detail: String,
    ) -> Decision {
        match self.request.claim.device() {
            Ok(None) => self.challenge_and_report(known, reason.code(), detail),
            _ => self.refuse_and_report(Some(&known.phone.name), reason, detail),
        }
    }

    fn challenge_and_report(
        &self,
        known: &KnownPhone,
        code: &'static str,
        detail: String,
    ) -> Decision {
        match self.challenge(known.digest_algorithms(), false) {
            Decision::Answer(outcome) => {
                self.report(Some(&known.phone.name), code, detail, outcome)
            }
            work @ Decision::Work(_) => work,
        }
    }
}
