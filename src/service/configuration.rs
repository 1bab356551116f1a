//! What the whole process has in memory of the configuration: the catalogue (templates, profiles,
//! partitions, groups, policies, nodes …) and the settings of self-provisioning.
//!
//! Whoever changes it begins a [`ConfigurationChange`] and commits that: what was committed is shown,
//! and what may have been is read again until memory says what stands.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use super::App;
use super::history::record;
use super::history::record::Actor;
use super::history::record::Change;
use crate::domain::pkid::Pkid;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::Transaction;

/// How the configuration in memory stands to the database.
#[derive(Debug, Default)]
pub struct ConfigurationReading {
    /// Held while it is read anew: what was read first is shown first.
    turn: tokio::sync::Mutex<()>,
    /// Whether something may have been committed that is not shown.
    is_in_doubt: AtomicBool,
}

/// A transaction that changes the catalogue or the settings of self-provisioning. Dropped without
/// [`ConfigurationChange::commit`] nothing of it was written.
#[must_use]
pub struct ConfigurationChange<'a> {
    app: &'a App,
    transaction: Transaction,
}

impl<'a> ConfigurationChange<'a> {
    /// Begins one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] when no connection could be had in time.
    pub async fn begin(app: &'a App) -> Result<Self, StoreError> {
        let transaction = app.store.begin().await?;
        Ok(Self { app, transaction })
    }

    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut Connection {
        self.transaction.connection()
    }

    /// Commits what was written and shows it to everybody. Unless the database confirms it, nobody
    /// knows what stands there: the configuration is in doubt then, as it is when it was committed
    /// and cannot be read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unconfirmed`] when the database did not say that it was committed.
    pub async fn commit(self) -> Result<(), StoreError> {
        let mut shown = Shown {
            app: self.app,
            is_true: false,
        };
        self.transaction.commit().await?;
        match self.app.reread_configuration().await {
            Ok(()) => shown.is_true = true,
            Err(error) => tracing::warn!(
                %error,
                "a change of the configuration is made, and could not be read yet; it is shown as \
                 soon as the database answers"
            ),
        }
        Ok(())
    }

    /// Writes the row of the audit log about one object, of which these elements changed, and
    /// commits.
    ///
    /// # Errors
    ///
    /// As [`ConfigurationChange::commit`]; [`StoreError`] when the row could not be written.
    pub async fn commit_audited(
        mut self,
        actor: &Actor,
        touched: (Pkid, &[&'static str]),
        row: Change,
    ) -> Result<(), StoreError> {
        let connection = self.transaction.connection();
        record::audit_elements(self.app, connection, actor, touched, row).await?;
        self.commit().await
    }
}

/// Puts the configuration in doubt when it is dropped before memory is true: after an error, and
/// when nobody waits for the commit any more.
struct Shown<'a> {
    app: &'a App,
    is_true: bool,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if !self.is_true {
            self.app.configuration.doubt();
        }
    }
}

impl ConfigurationReading {
    fn doubt(&self) {
        self.is_in_doubt.store(true, Ordering::SeqCst);
    }

    fn take_doubt(&self) -> bool {
        self.is_in_doubt.swap(false, Ordering::SeqCst)
    }
}

impl App {
    /// Makes memory say of the configuration what the database says.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails; memory stays as it was.
    pub async fn reread_configuration(&self) -> Result<(), StoreError> {
        let _turn = self.configuration.turn.lock().await;
        let mut reader = self.store.read().await?;
        let connection = reader.connection();
        let catalogue = store::catalogue::load(connection).await?;
        let settings = store::self_provisioning::find(connection).await?;
        self.catalogue.store(Arc::new(catalogue));
        self.self_provisioning.store(Arc::new(settings));
        Ok(())
    }
}

/// Reads the configuration again if it is in doubt; it stays so when it cannot be read.
pub async fn reread_doubtful(app: &App) {
    if !app.configuration.take_doubt() {
        return;
    }
    if let Err(error) = app.reread_configuration().await {
        tracing::warn!(%error, "the configuration is in doubt and could not be read again");
        app.configuration.doubt();
    }
}
