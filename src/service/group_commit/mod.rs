//! Group commit: small writes of many requests in one transaction, each answered after its commit.
//!
//! There is no task behind it. Whoever waits longest writes the group of all who wait, so that
//! one commit serves as many requests as came in during the one before.

mod apply;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::MutexGuard;

use tokio::sync::oneshot;

use super::App;
use super::history::record::Happening;
use super::registrar::auto_register::Allocation;
use super::registrar::auto_register::GroupTry;
use super::registrar::auto_register::NewPhone;
use super::registrar::auto_register::Outcome;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone_restart::AtRegistration;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::store::StoreError;
use crate::store::Transaction;

/// Writes that may wait: half a minute of work for a slow disk. More are answered "try again".
const QUEUE_MAX: usize = 16_384;

/// Writes in one transaction: enough that the commit costs little beside them, few enough that
/// the first does not wait long for the last.
const GROUP_MAX: usize = 256;

/// One small write.
#[derive(Debug)]
pub enum Write {
    /// Makes a device of a phone that registers for the first time.
    AutoRegister(Box<NewPhone>),
    /// Adds or changes a binding.
    PutBinding(Box<BindingChange>),
    /// Removes a binding.
    RemoveBinding(Box<BindingRemoval>),
    /// Adds a row to a timeline.
    Happened(Box<(DeviceName, TimelineEvent, Happening)>),
    /// Writes what became of an attempt to restart a phone.
    RestartAttempted(Box<RestartAttempt>),
    /// A phone has come back after a restart: the restart is done, the grace over.
    CameBack(Box<CameBack>),
}

/// A binding to be added or changed.
#[derive(Debug, Clone)]
pub struct BindingChange {
    /// The binding as it is to be.
    pub binding: Binding,
    /// The device row it belongs to; `None` when a grace outlived it.
    pub device: Option<Pkid>,
    /// Whether address or model of the last registration change in the device row.
    pub device_changes: bool,
    /// Addresses of record of the device's bindings that this one makes obsolete.
    pub obsolete: Vec<Box<str>>,
    /// The row for the timeline; `None` for a change that is nobody's business.
    pub happening: Option<Happening>,
    /// What it says of the restart that the phone owes.
    pub restart: AtRegistration,
    /// Whether the grace of the device's old bindings is over by this.
    pub ends_grace: bool,
}

/// A phone that has its present file.
#[derive(Debug, Clone)]
pub struct CameBack {
    /// The phone.
    pub device_name: DeviceName,
    /// When the restart that is done by this was asked for; one asked for later stays owed.
    pub requested_at: Option<UnixMillis>,
    /// The row for the timeline.
    pub happening: Happening,
}

/// A binding to be removed.
#[derive(Debug, Clone)]
pub struct BindingRemoval {
    /// Its device.
    pub device_name: DeviceName,
    /// Its address of record.
    pub address_of_record: Box<str>,
    /// When it was made or last changed; a later one stays.
    pub registered_at: UnixMillis,
    /// The row for the timeline.
    pub happening: Happening,
}

/// What became of an attempt to restart a phone.
#[derive(Debug, Clone)]
pub struct RestartAttempt {
    /// The restart with its next attempt.
    pub restart: PhoneRestart,
    /// The row for the timeline; `None` when it would repeat the one before.
    pub happening: Option<(TimelineEvent, Happening)>,
    /// Whether the phone owes nothing more.
    pub is_done: bool,
}

/// What a write led to.
#[derive(Debug)]
pub enum Written {
    /// It is done.
    Done,
    /// What became of a new phone.
    NewPhone(Outcome),
    /// The phone does not owe the restart any more.
    NotOwed,
}

/// A write was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full.
    #[error("too many writes wait for the database; try again in a few seconds")]
    Busy,
    /// The database did not take it; the log says why.
    #[error("the database did not take the write; see the log")]
    Unavailable,
}

type Answer = oneshot::Receiver<Result<Written, WriteError>>;

struct Queued {
    write: Write,
    reply: oneshot::Sender<Result<Written, WriteError>>,
}

/// The writes that wait and whose turn it is.
#[derive(Default)]
pub struct GroupCommit {
    queue: Mutex<VecDeque<Queued>>,
    turn: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for GroupCommit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl GroupCommit {
    fn queue(&self) -> MutexGuard<'_, VecDeque<Queued>> {
        locks::lock(&self.queue)
    }

    fn push(&self, write: Write) -> Result<Answer, WriteError> {
        let mut queue = self.queue();
        if queue.len() >= QUEUE_MAX {
            return Err(WriteError::Busy);
        }
        let (reply, answer) = oneshot::channel();
        queue.push_back(Queued { write, reply });
        Ok(answer)
    }

    /// The writes that go first, all new phones or none: who holds the lock on the numbers must
    /// not wait for a row of an existing phone, whose holder may wait for the numbers.
    fn take_group(&self) -> Vec<Queued> {
        let mut queue = self.queue();
        let mut group = Vec::new();
        let mut others = VecDeque::new();
        let is_new_phone = |queued: &Queued| matches!(queued.write, Write::AutoRegister(_));
        let takes_new_phones = queue.front().is_some_and(is_new_phone);
        for queued in queue.drain(..) {
            if group.len() < GROUP_MAX && is_new_phone(&queued) == takes_new_phones {
                group.push(queued);
            } else {
                others.push_back(queued);
            }
        }
        *queue = others;
        group
    }

    /// Every write that waits.
    fn take_all(&self) -> Vec<Queued> {
        self.queue().drain(..).collect()
    }
}

/// Does a write together with others; what it changes in memory is changed when this returns.
///
/// # Errors
///
/// [`WriteError`] when the write is not done.
pub async fn commit(app: &App, write: Write) -> Result<Written, WriteError> {
    let answer = app.writes.push(write)?;
    answered(app, answer).await
}

/// Does many writes, in as few transactions as they fit; the results in their order.
pub async fn commit_all(app: &App, writes: Vec<Write>) -> Vec<Result<Written, WriteError>> {
    let answers: Vec<_> = writes
        .into_iter()
        .map(|write| app.writes.push(write))
        .collect();
    let mut results = Vec::with_capacity(answers.len());
    for answer in answers {
        results.push(match answer {
            Ok(answer) => answered(app, answer).await,
            Err(error) => Err(error),
        });
    }
    results
}

/// Waits for an answer, and writes groups when it is this one's turn.
async fn answered(app: &App, mut answer: Answer) -> Result<Written, WriteError> {
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap_or(Err(WriteError::Unavailable)),
            turn = app.writes.turn.lock() => {
                if let Ok(answer) = answer.try_recv() {
                    return answer;
                }
                write_group(app, app.writes.take_group()).await;
                drop(turn);
            }
        }
    }
}

/// Writes a group: at first all of it as one, and when anything in it fails, each with a
/// savepoint of its own so that it stands or falls by itself. With the database away whoever waits
/// is told so at once: a turn of its own for each group would take longer than phones wait.
async fn write_group(app: &App, group: Vec<Queued>) {
    let transaction = match app.store.begin().await {
        Ok(transaction) => transaction,
        Err(error) => {
            let others = app.writes.take_all();
            let writes = group.len() + others.len();
            tracing::error!(%error, writes, "the database takes nothing");
            for queued in group.into_iter().chain(others) {
                let _ = queued.reply.send(Err(WriteError::Unavailable));
            }
            return;
        }
    };
    let (writes, replies): (Vec<Write>, Vec<_>) = group
        .into_iter()
        .map(|queued| (queued.write, queued.reply))
        .unzip();
    let results = match write_as_one(app, transaction, &writes).await {
        Ok(results) => results.into_iter().map(Ok).collect(),
        Err(error) => {
            tracing::debug!(%error, writes = writes.len(), "group not written as one");
            write_one_by_one(app, &writes).await
        }
    };
    for ((write, result), reply) in writes.into_iter().zip(results).zip(replies) {
        let answer = match result {
            Ok(written) => {
                apply::remember(app, write, &written);
                Ok(written)
            }
            Err(error) => {
                tracing::error!(%error, "a registration could not be written");
                Err(WriteError::Unavailable)
            }
        };
        // Whoever asked may be gone; what was written stays.
        let _ = reply.send(answer);
    }
}

async fn write_as_one(
    app: &App,
    mut transaction: Transaction,
    writes: &[Write],
) -> Result<Vec<Written>, StoreError> {
    let mut allocation = lock_numbers(app, &mut transaction, writes, GroupTry::AsOne).await?;
    let mut results = Vec::with_capacity(writes.len());
    for write in writes {
        results
            .push(apply::apply(app, transaction.connection(), allocation.as_mut(), write).await?);
    }
    finish(app, transaction, allocation).await?;
    Ok(results)
}

async fn write_one_by_one(app: &App, writes: &[Write]) -> Vec<Result<Written, StoreError>> {
    let mut results = Vec::with_capacity(writes.len());
    match write_with_savepoints(app, writes, &mut results).await {
        Ok(()) => results,
        Err(error) => {
            tracing::error!(%error, writes = writes.len(), "nothing of a group could be written");
            let lost = || Err(StoreError::Lost);
            writes.iter().map(|_| lost()).collect()
        }
    }
}

async fn write_with_savepoints(
    app: &App,
    writes: &[Write],
    results: &mut Vec<Result<Written, StoreError>>,
) -> Result<(), StoreError> {
    let mut transaction = app.store.begin().await?;
    let mut allocation = lock_numbers(app, &mut transaction, writes, GroupTry::OneByOne).await?;
    for write in writes {
        transaction.savepoint().await?;
        let result = apply::apply(app, transaction.connection(), allocation.as_mut(), write).await;
        match &result {
            Ok(_) => transaction.release_savepoint().await?,
            Err(_) => transaction.rollback_to_savepoint().await?,
        }
        results.push(result);
    }
    finish(app, transaction, allocation).await
}

/// When a phone is to be made, locks the numbers: before any savepoint.
async fn lock_numbers(
    app: &App,
    transaction: &mut Transaction,
    writes: &[Write],
    group_try: GroupTry,
) -> Result<Option<Allocation>, StoreError> {
    let new_phones = writes
        .iter()
        .filter(|write| matches!(write, Write::AutoRegister(_)))
        .count();
    Ok(match new_phones {
        0 => None,
        count => Some(Allocation::begin(app, transaction.connection(), count, group_try).await?),
    })
}

async fn finish(
    app: &App,
    mut transaction: Transaction,
    allocation: Option<Allocation>,
) -> Result<(), StoreError> {
    if let Some(allocation) = allocation {
        allocation.end(app, transaction.connection()).await?;
    }
    transaction.commit().await
}
