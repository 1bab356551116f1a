//! The threads that hash PINs and passwords.
//!
//! An argon2id hash takes some 17 ms and 19 MiB. On the async threads it would hold up every phone;
//! on a pool of blocking threads each would keep its own memory. So a few threads do nothing else,
//! each with memory of its own that it keeps. What waits for them is bounded: when the line is full
//! the answer is *busy* at once, never a time-out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use tokio::sync::oneshot;

use super::password_hash;
use super::password_hash::Memory;
use super::password_hash::SALT_BYTES;
use super::password_hash::UnreadableHash;
use crate::domain::secret::Secret;
use crate::locks;
use crate::service::environment::Environment;

/// The line a piece of work waits in. The threads serve both in turn, so that a flood at one door
/// leaves the other half of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Share {
    /// Handset and IVR.
    Phones,
    /// Pages, APIs and commands.
    Others,
}

/// Why nothing was hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HasherError {
    /// The line is full, or the service is stopping.
    #[error("too many logins at once; try again in a few seconds")]
    Busy,
    /// The stored hash cannot be checked.
    #[error(transparent)]
    Unreadable(#[from] UnreadableHash),
}

enum Work {
    Verify {
        secret: Secret,
        phc: Box<str>,
        reply: oneshot::Sender<Result<bool, UnreadableHash>>,
    },
    Hash {
        secret: Secret,
        salt: [u8; SALT_BYTES],
        reply: oneshot::Sender<Result<Box<str>, UnreadableHash>>,
    },
}

impl Work {
    /// Whether whoever asked has gone away.
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Verify { reply, .. } => reply.is_closed(),
            Self::Hash { reply, .. } => reply.is_closed(),
        }
    }

    fn run(self, memory: &mut Memory) {
        // A failed send means that the caller went away meanwhile: nothing is lost.
        match self {
            Self::Verify { secret, phc, reply } => {
                let _ = reply.send(password_hash::verify(&secret, &phc, memory));
            }
            Self::Hash {
                secret,
                salt,
                reply,
            } => {
                let _ = reply.send(password_hash::hash(&secret, &salt, memory));
            }
        }
    }
}

#[derive(Default)]
struct Lines {
    phones: VecDeque<Work>,
    others: VecDeque<Work>,
    others_next: bool,
    stopped: bool,
}

impl Lines {
    fn of(&mut self, share: Share) -> &mut VecDeque<Work> {
        match share {
            Share::Phones => &mut self.phones,
            Share::Others => &mut self.others,
        }
    }

    /// The next piece of work, from both lines in turn.
    fn next(&mut self) -> Option<Work> {
        let (first, second) = if self.others_next {
            (&mut self.others, &mut self.phones)
        } else {
            (&mut self.phones, &mut self.others)
        };
        let work = first.pop_front().or_else(|| second.pop_front())?;
        self.others_next = !self.others_next;
        Some(work)
    }
}

#[derive(Default)]
struct Shared {
    lines: Mutex<Lines>,
    arrived: Condvar,
    hashed: AtomicU64,
}

impl Shared {
    fn lines(&self) -> MutexGuard<'_, Lines> {
        locks::lock(&self.lines)
    }

    /// What one thread does until the hasher is dropped.
    fn work(&self) {
        let mut memory = Memory::default();
        let mut lines = self.lines();
        while !lines.stopped {
            match lines.next() {
                Some(work) => {
                    drop(lines);
                    if !work.is_abandoned() {
                        // Before the answer goes out, so that who has it sees it counted.
                        self.hashed.fetch_add(1, Ordering::Relaxed);
                        work.run(&mut memory);
                    }
                    lines = self.lines();
                }
                None => {
                    lines = self
                        .arrived
                        .wait(lines)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
    }
}

/// Hashes and verifies credentials on threads of its own.
pub struct CredentialHasher {
    shared: Arc<Shared>,
    environment: Environment,
    queue_max: usize,
}

impl std::fmt::Debug for CredentialHasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialHasher").finish_non_exhaustive()
    }
}

impl CredentialHasher {
    /// Starts the threads: as many as given, or for 0 one less than the machine has processors
    /// and at least one. `queue_max` pieces of work may wait in each of the two lines.
    ///
    /// # Errors
    ///
    /// What the operating system said when a thread could not be started.
    pub fn start(
        threads: usize,
        queue_max: usize,
        environment: Environment,
    ) -> std::io::Result<Self> {
        let threads = match threads {
            0 => std::thread::available_parallelism()
                .map_or(1, |processors| processors.get().saturating_sub(1).max(1)),
            threads => threads,
        };
        let hasher = Self {
            shared: Arc::default(),
            environment,
            queue_max,
        };
        for number in 1..=threads {
            let shared = Arc::clone(&hasher.shared);
            std::thread::Builder::new()
                .name(format!("credential-{number}"))
                .spawn(move || shared.work())?;
        }
        Ok(hasher)
    }

    /// Whether the secret is the one that was hashed.
    ///
    /// # Errors
    ///
    /// [`HasherError`] when the line is full or the hash cannot be checked.
    pub async fn verify(
        &self,
        share: Share,
        secret: &Secret,
        phc: &str,
    ) -> Result<bool, HasherError> {
        let (reply, answer) = oneshot::channel();
        self.push(
            share,
            Work::Verify {
                secret: secret.clone(),
                phc: phc.into(),
                reply,
            },
        )?;
        Ok(answer.await.map_err(|_| HasherError::Busy)??)
    }

    /// Spends the work of a verification where there is nothing to verify against.
    ///
    /// # Errors
    ///
    /// [`HasherError::Busy`] when the line is full.
    pub async fn verify_dummy(&self, share: Share, secret: &Secret) -> Result<(), HasherError> {
        self.verify(share, secret, password_hash::DUMMY)
            .await
            .map(|_| ())
    }

    /// Hashes a new secret with a fresh salt, as a PHC string.
    ///
    /// # Errors
    ///
    /// [`HasherError::Busy`] when the line is full.
    pub async fn hash(&self, share: Share, secret: &Secret) -> Result<Box<str>, HasherError> {
        let (reply, answer) = oneshot::channel();
        self.push(
            share,
            Work::Hash {
                secret: secret.clone(),
                salt: self.environment.random(),
                reply,
            },
        )?;
        Ok(answer.await.map_err(|_| HasherError::Busy)??)
    }

    /// How many hashes were computed since the start: for metrics.
    pub fn hashed(&self) -> u64 {
        self.shared.hashed.load(Ordering::Relaxed)
    }

    /// How many pieces of work wait, in both lines: for metrics.
    pub fn waiting(&self) -> usize {
        let lines = self.shared.lines();
        lines.phones.len() + lines.others.len()
    }

    fn push(&self, share: Share, work: Work) -> Result<(), HasherError> {
        let mut lines = self.shared.lines();
        let line = lines.of(share);
        if line.len() >= self.queue_max {
            // Those who hung up do not stand in the way of those who wait.
            line.retain(|work| !work.is_abandoned());
        }
        if line.len() >= self.queue_max {
            return Err(HasherError::Busy);
        }
        line.push_back(work);
        drop(lines);
        self.shared.arrived.notify_one();
        Ok(())
    }
}

impl Drop for CredentialHasher {
    fn drop(&mut self) {
        self.shared.lines().stopped = true;
        self.shared.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::environment::fixed;

    fn hasher(queue_max: usize) -> CredentialHasher {
        CredentialHasher::start(1, queue_max, fixed::environment(5)).unwrap()
    }

    #[tokio::test]
    async fn what_was_hashed_is_verified() {
        let hasher = hasher(8);
        let secret = Secret::from("8362");
        let phc = hasher.hash(Share::Others, &secret).await.unwrap();
        let verify = |secret| hasher.verify(Share::Phones, secret, &phc);
        assert_eq!(verify(&secret).await, Ok(true));
        assert_eq!(verify(&Secret::from("8361")).await, Ok(false));
        let unreadable = hasher.verify(Share::Phones, &secret, "8362").await;
        assert_eq!(unreadable, Err(HasherError::Unreadable(UnreadableHash)));
    }

    #[tokio::test]
    async fn a_full_line_is_busy_at_once_and_the_other_line_is_not() {
        // No thread serves this one, so that the line stays as it is.
        let hasher = CredentialHasher {
            shared: Arc::default(),
            environment: fixed::environment(5),
            queue_max: 2,
        };
        let secret = Secret::from("8362");
        let mut waiting = Vec::new();
        for _ in 0..2 {
            let mut asked = Box::pin(hasher.verify_dummy(Share::Phones, &secret));
            assert!(poll_once(&mut asked).await.is_none());
            waiting.push(asked);
        }
        let refused = hasher.verify_dummy(Share::Phones, &secret).await;
        assert_eq!(refused, Err(HasherError::Busy));
        let mut other = Box::pin(hasher.verify_dummy(Share::Others, &secret));
        assert!(poll_once(&mut other).await.is_none());
        // Whoever hangs up makes room.
        waiting.pop();
        let mut next = Box::pin(hasher.verify_dummy(Share::Phones, &secret));
        assert!(poll_once(&mut next).await.is_none());
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }

    #[test]
    fn both_lines_are_served_in_turn() {
        let mut lines = Lines::default();
        let work = |text: &str| {
            let (reply, _) = oneshot::channel();
            Work::Hash {
                secret: Secret::from(text),
                salt: [0; SALT_BYTES],
                reply,
            }
        };
        for text in ["p1", "p2", "p3"] {
            lines.phones.push_back(work(text));
        }
        lines.others.push_back(work("o1"));
        let mut order = Vec::new();
        while let Some(Work::Hash { secret, .. }) = lines.next() {
            order.push(secret.reveal().to_owned());
        }
        assert_eq!(order, ["p1", "o1", "p2", "p3"]);
    }
}
