//! The one interface to phones: "restart, reset, or check your version".
//!
//! The built-in registrar is the first way; whoever asks for a restart never knows which way it
//! took. A channel takes from a [`PhoneRequest`] what its way needs: the registrar the binding, a
//! push over HTTP the address, the control port of a foreign registrar name and lines.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::RwLock;

use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
pub use crate::domain::phone_restart::PhoneAction;
use crate::domain::pkid::Pkid;
use crate::locks;

/// What a phone is asked, and what is known of the ways to it.
#[derive(Debug, Clone)]
pub struct PhoneRequest {
    /// The phone.
    pub device_name: DeviceName,
    /// What it is to do.
    pub action: PhoneAction,
    /// Its model's number, by the device or else by what it told; `None` when neither says one.
    pub model: Option<u32>,
    /// The version stamp of its file; all zero when it has none any more.
    pub version_stamp: Pkid,
    /// Its newest registration with us.
    pub binding: Option<Arc<Binding>>,
    /// The address it was seen at last.
    pub address: Option<IpAddr>,
    /// The numbers of its lines, by which a foreign registrar may know it.
    pub lines: Vec<DirectoryNumber>,
}

/// What became of a request to a phone, from the best to the worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Delivery {
    /// The phone, or what speaks for it, accepted it.
    Accepted,
    /// It refused.
    Refused {
        /// What it answered, in the channel's words; never text that the phone chose.
        answer: String,
    },
    /// No answer in time.
    NoAnswer,
    /// The channel has no way to this phone now.
    NoWay {
        /// Why.
        why: &'static str,
    },
}

/// A future that a channel gives back. It ends by itself: a channel has its own time-out.
pub type DeliveryFuture = Pin<Box<dyn Future<Output = Delivery> + Send>>;

/// A way to reach phones.
pub trait PhoneChannel: Send + Sync {
    /// Its name in timelines.
    fn name(&self) -> &'static str;

    /// Asks the phone once.
    fn send(&self, request: &PhoneRequest) -> DeliveryFuture;
}

/// The ways there are, the first tried first.
#[derive(Default)]
pub struct PhoneChannels(RwLock<Vec<Arc<dyn PhoneChannel>>>);

impl PhoneChannels {
    /// Adds a way, tried after those that are there.
    pub fn add(&self, channel: Arc<dyn PhoneChannel>) {
        let mut channels = locks::write(&self.0);
        channels.push(channel);
    }

    fn all(&self) -> Vec<Arc<dyn PhoneChannel>> {
        let channels = locks::read(&self.0);
        channels.clone()
    }

    /// Asks the phone by one way after the other until it accepts. Gives the best outcome and the
    /// name of its way.
    pub async fn send(&self, request: &PhoneRequest) -> (Delivery, &'static str) {
        let why = "no way to reach phones is open";
        let mut best = (Delivery::NoWay { why }, "");
        for channel in self.all() {
            let delivery = channel.send(request).await;
            if best.1.is_empty() || delivery < best.0 {
                best = (delivery, channel.name());
            }
            if best.0 == Delivery::Accepted {
                break;
            }
        }
        best
    }
}
