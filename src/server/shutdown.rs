//! One signal that tells every listener and worker of the process to finish.

use tokio::sync::watch;

/// Held by whoever decides that the process ends. Dropping it counts as the decision.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

/// Handed to everything that must end with the process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Makes the two ends of the signal.
pub fn channel() -> (ShutdownTrigger, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (ShutdownTrigger(sender), Shutdown(receiver))
}

impl ShutdownTrigger {
    /// Asks everything that holds a [`Shutdown`] to finish. A second call changes nothing.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}

impl Shutdown {
    /// Resolves when the end was asked for, at once if that was before the call.
    pub async fn requested(&mut self) {
        // An error means that the trigger is gone, and with it whoever wanted us to run.
        let _ = self.0.wait_for(|requested| *requested).await;
    }

    /// Whether the end was asked for.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
