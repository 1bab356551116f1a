//! A binding: where a phone that registered can be reached.

use std::net::IpAddr;
use std::time::Duration;

use super::device::DeviceName;
use super::phone::Phone;
use super::pkid::Pkid;
use super::registration::BoundFlow;
use super::registration::Flow;
use super::secret::Sealed;
use super::time::UnixMillis;

/// One registration of one device for one address of record.
///
/// It outlives the device row it belonged to, so that a phone whose configuration was replaced can
/// still be told to restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The device that registered.
    pub device_name: DeviceName,
    /// What the phone said of itself.
    pub texts: BindingTexts,
    /// The flow it came by; requests to the phone go out on the same one.
    pub flow: BoundFlow,
    /// The CallManager node that holds it.
    pub node: Pkid,
    /// `CSeq` of the last REGISTER.
    pub cseq: u32,
    /// Granted lifetime in seconds; in memory 0 when the phone has said that it goes down.
    pub expires_s: u32,
    /// When it was made or last changed.
    pub registered_at: UnixMillis,
    /// When it ends unless refreshed. Kept in memory; after a start, one full lifetime from then.
    pub expires_at: UnixMillis,
    /// Model number as the phone gave it.
    pub model: Option<u32>,
    /// What the phone may still use after its device was provisioned or released. Boxed: it is
    /// seldom there.
    pub grace: Option<Box<Grace>>,
}

impl Binding {
    /// User part of the To header: a directory number, or the auto-registration name.
    pub fn address_of_record(&self) -> &str {
        self.texts.piece(0)
    }

    /// The Contact as the phone sent it, URI and parameters, without `expires`.
    pub fn contact(&self) -> &str {
        self.texts.piece(1)
    }

    /// Call-ID of the REGISTER: the `RegisterCallId` of service-control.
    pub fn call_id(&self) -> &str {
        self.texts.piece(2)
    }

    /// `User-Agent` of the phone.
    pub fn user_agent(&self) -> &str {
        self.texts.piece(3)
    }

    /// Whether the phone has said that it goes down, and has not come back since.
    pub const fn is_going_down(&self) -> bool {
        self.expires_s == 0
    }

    /// [`Binding::flow`] as the doors have it.
    pub fn flow(&self) -> Flow {
        self.flow.to_flow()
    }

    /// The address the phone registered from.
    pub fn address(&self) -> IpAddr {
        self.flow().remote.ip().to_canonical()
    }
}

/// The texts of a binding one by one; [`SeparateTexts::join`] makes what a binding keeps.
#[derive(Debug, Clone, Copy)]
pub struct SeparateTexts<'a> {
    /// [`Binding::address_of_record`].
    pub address_of_record: &'a str,
    /// [`Binding::contact`].
    pub contact: &'a str,
    /// [`Binding::call_id`].
    pub call_id: &'a str,
    /// [`Binding::user_agent`].
    pub user_agent: &'a str,
}

impl SeparateTexts<'_> {
    /// The texts in one piece of memory.
    pub fn join(self) -> BindingTexts {
        let texts = [
            self.address_of_record,
            self.contact,
            self.call_id,
            self.user_agent,
        ];
        let after = |count: usize| {
            let lengths = texts.iter().take(count).map(|text| text.len());
            u32::try_from(lengths.sum::<usize>()).unwrap_or(u32::MAX)
        };
        BindingTexts {
            joined: texts.concat().into(),
            starts: [after(1), after(2), after(3)],
        }
    }
}

/// The texts of a binding in one piece of memory: four pieces each would cost a site of 50,000
/// phones 5 MB more.
#[derive(Clone, PartialEq, Eq)]
pub struct BindingTexts {
    joined: Box<str>,
    /// Where the second, third and fourth text begin. A message is far below 4 GB.
    starts: [u32; 3],
}

impl BindingTexts {
    fn piece(&self, index: usize) -> &str {
        let start_of = |index: usize| self.starts.get(index).map(|start| *start as usize);
        let start = index.checked_sub(1).and_then(start_of).unwrap_or(0);
        let end = start_of(index).unwrap_or(self.joined.len());
        self.joined.get(start..end).unwrap_or_default()
    }
}

impl std::fmt::Debug for BindingTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries((0..4).map(|index| self.piece(index)))
            .finish()
    }
}

/// For a while after provisioning or release the old secret still refreshes the old binding, so
/// that nobody is stranded between two files.
#[derive(Clone, PartialEq, Eq)]
pub struct Grace {
    /// The old secret; `None`: the old binding needed none, and its boot alone refreshes it.
    pub sealed_secret: Option<Sealed>,
    /// The end of it; earlier when the new file is fetched.
    pub until: UnixMillis,
}

/// How long an auto-registered phone may refresh without credentials, and a phone whose device was
/// replaced with its old ones. Source: rules, *Nobody is stranded*.
const GRACE: Duration = Duration::from_mins(15);

impl Grace {
    /// The grace of the old bindings of a device that gets another secret, or is replaced by
    /// provisioning or release; `None` when no secret refreshes them. `present` is the grace that
    /// they have: a phone that has not fetched its file since still holds what that says (a secret,
    /// or none), and not what the device has had in between.
    pub fn of_old_bindings(before: &Phone, present: Option<Self>, now: UnixMillis) -> Option<Self> {
        let has_newer = before.file_fetched_at.is_some();
        let present = present.filter(|grace| grace.until > now && !has_newer);
        let sealed_secret = match present {
            Some(grace) => grace.sealed_secret,
            None => Some(before.digest.sealed_secret.clone()?),
        };
        Some(Self {
            sealed_secret,
            until: now.plus(GRACE),
        })
    }

    /// The grace of a phone that is being auto-registered: it has no secret yet.
    pub fn without_secret(now: UnixMillis) -> Self {
        Self {
            sealed_secret: None,
            until: now.plus(GRACE),
        }
    }
}

impl std::fmt::Debug for Grace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grace")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_texts_are_told_apart_again() {
        let texts = SeparateTexts {
            address_of_record: "1001",
            contact: "<sip:a@h>",
            call_id: "",
            user_agent: "Cisco-CP7841/12.5.1",
        };
        let texts = texts.join();
        let pieces = [0, 1, 2, 3].map(|index| texts.piece(index));
        assert_eq!(pieces, ["1001", "<sip:a@h>", "", "Cisco-CP7841/12.5.1"]);
        assert_eq!(format!("{texts:?}"), format!("{pieces:?}"));
    }
}
