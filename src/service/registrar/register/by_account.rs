//! A REGISTER that names no device: found by digest user and by the line in To.

use std::sync::Arc;

use super::Decision;
use super::Judge;
use super::MD5_ALONE;
use super::proof;
use super::request::Credentials;
use crate::domain::registration_refused::RegistrationRefused;
use crate::service::devices::phone_book::KnownPhone;

impl Judge<'_> {
    /// Judges it as the one device that it can be; `None` when no device is found by account.
    pub(super) fn by_account(&self) -> Option<Decision> {
        let number = self.request.address_of_record;
        if let Some(credentials) = &self.request.credentials {
            let of_user = self.app.phones.of_digest_user(credentials.user_name);
            let with_line = narrowed(of_user.iter().filter(|known| has_line(known, number)));
            match (with_line.as_slice(), of_user.first()) {
                ([known], _) => return Some(self.known(known)),
                ([], Some(first)) => return Some(self.of_other_line(first, &of_user)),
                ([first, ..], _) => return Some(self.ambiguous(first, &with_line)),
                ([], None) => {}
            }
        }
        let of_line = self.app.phones.of_account_line(number);
        match of_line.as_slice() {
            [] => None,
            [known] => Some(self.known(known)),
            [first, ..] => {
                let algorithms = first.digest_algorithms();
                let agree = of_line
                    .iter()
                    .all(|known| known.digest_algorithms() == algorithms);
                let algorithms = if agree { algorithms } else { MD5_ALONE };
                Some(self.challenge(algorithms, false))
            }
        }
    }

    /// Whether credentials were given and are right for this device.
    fn is_proven(&self, known: &KnownPhone, credentials: &Credentials<'_>) -> bool {
        proof::is_proven(self.app, known, credentials, self.sent())
    }

    /// The digest user has devices, and none of them has the line.
    fn of_other_line(&self, first: &KnownPhone, of_user: &[Arc<KnownPhone>]) -> Decision {
        let credentials = self.request.credentials.as_ref();
        if !credentials.is_some_and(|credentials| self.is_proven(first, credentials)) {
            return self.challenge(first.digest_algorithms(), false);
        }
        let detail = format!(
            "the digest user of {} registered as {:?}, which is a line of none of them",
            names(of_user),
            self.request.address_of_record
        );
        let reason = RegistrationRefused::DirectoryNumberMismatch;
        self.refuse_and_report(Some(&first.phone.name), reason, detail)
    }

    /// Several devices have the digest user and the line: nobody can tell which one this is.
    fn ambiguous(&self, first: &KnownPhone, devices: &[Arc<KnownPhone>]) -> Decision {
        let credentials = self.request.credentials.as_ref();
        if !credentials.is_some_and(|credentials| self.is_proven(first, credentials)) {
            return self.challenge(first.digest_algorithms(), false);
        }
        let detail = format!(
            "{} share digest user and line {:?}, so that a registration cannot be told apart; give \
             each a digest user of its own",
            names(devices),
            self.request.address_of_record
        );
        let reason = RegistrationRefused::AmbiguousDigestUser;
        self.refuse_and_report(Some(&first.phone.name), reason, detail)
    }
}

/// Of several, those that are meant to be found so: a Cisco phone would have said its name.
fn narrowed<'a>(candidates: impl Iterator<Item = &'a Arc<KnownPhone>>) -> Vec<Arc<KnownPhone>> {
    let candidates: Vec<Arc<KnownPhone>> = candidates.cloned().collect();
    let meant: Vec<_> = candidates
        .iter()
        .filter(|known| known.is_found_by_account())
        .cloned()
        .collect();
    if meant.is_empty() { candidates } else { meant }
}

fn has_line(known: &KnownPhone, number: &str) -> bool {
    let mut lines = known.phone.lines.iter();
    lines.any(|line| line.pattern.as_str() == number)
}

fn names(devices: &[Arc<KnownPhone>]) -> String {
    let names: Vec<&str> = devices
        .iter()
        .map(|known| known.phone.name.as_str())
        .collect();
    names.join(", ")
}
