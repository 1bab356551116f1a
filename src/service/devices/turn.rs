//! One use case at a time changes a device, so that memory hears of its rows in the order of their
//! commits.
//!
//! What writes a device asks for the turn of its caller, so that none can be without.

use crate::domain::device::DeviceName;
use crate::service::App;
use crate::service::credentials::attempt_gate::AttemptGate;
use crate::service::credentials::attempt_gate::GateFull;
use crate::service::credentials::attempt_gate::Pass;
use crate::store::StoreError;
use crate::store::Transaction;

/// The gates of the devices that somebody changes now. Only a turn opens one.
#[derive(Debug, Default)]
pub struct DeviceTurns(AttemptGate<DeviceName>);

/// The leave to change some devices, which are or will be of these names. Everybody else who wants
/// to change one of them waits until it is dropped: take it before the transaction, and keep it
/// until memory says what was committed.
#[derive(Debug)]
#[must_use]
pub struct DeviceTurn {
    /// In order, each once.
    names: Vec<DeviceName>,
    _passes: Vec<Pass<DeviceName>>,
}

impl DeviceTurn {
    /// Waits until nobody else changes one of these devices. Two that want the same devices never
    /// wait for each other: everybody takes them in the order of their names.
    ///
    /// # Errors
    ///
    /// [`GateFull`] at once when too many wait for one of them already.
    pub async fn take(
        app: &App,
        names: impl IntoIterator<Item = &DeviceName>,
    ) -> Result<Self, GateFull> {
        let mut names: Vec<DeviceName> = names.into_iter().cloned().collect();
        names.sort_unstable();
        names.dedup();
        let mut passes = Vec::with_capacity(names.len());
        for name in &names {
            passes.push(app.device_turns.0.enter_alone(name).await?);
        }
        Ok(Self {
            names,
            _passes: passes,
        })
    }

    /// The devices, in the order in which their rows are to be locked.
    pub fn names(&self) -> &[DeviceName] {
        &self.names
    }

    /// Whether the turn is of this device: what writes one asserts it.
    pub fn is_of(&self, name: &DeviceName) -> bool {
        self.names.binary_search(name).is_ok()
    }

    /// Commits what was written of the devices. Unless the database confirms it, nobody knows what
    /// stands there: the devices are in doubt then, and memory is made to say what does.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unconfirmed`] when the database did not say that it was committed.
    pub async fn commit(&self, app: &App, transaction: Transaction) -> Result<(), StoreError> {
        let mut unconfirmed = Unconfirmed {
            app,
            names: &self.names,
        };
        transaction.commit().await?;
        unconfirmed.names = &[];
        Ok(())
    }
}

/// Puts devices in doubt when it is dropped: after an error, and when nobody waits for the commit
/// any more.
struct Unconfirmed<'a> {
    app: &'a App,
    names: &'a [DeviceName],
}

impl Drop for Unconfirmed<'_> {
    fn drop(&mut self) {
        for name in self.names {
            self.app.phones.doubt(name);
        }
    }
}
