//! Restarts that phones owe, in memory as in the table `phone_restart`, by the time of their next
//! attempt.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use tokio::sync::Notify;

use crate::domain::device::DeviceName;
use crate::domain::phone_restart::AtRegistration;
use crate::domain::phone_restart::FIRST_ATTEMPT_AFTER;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::phone_restart::REPEATED_EVERY;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::store;
use crate::store::StoreError;

/// Restarts that phones owe.
#[derive(Debug, Default)]
pub struct PhoneControl {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    pending: HashMap<DeviceName, Pending>,
    /// Those that no attempt is under way for: a batch of a whole site must not be searched
    /// through at each attempt.
    due: BTreeSet<(UnixMillis, DeviceName)>,
}

#[derive(Debug)]
struct Pending {
    restart: PhoneRestart,
    in_flight: bool,
    /// Whether the phone showed during an attempt that it still runs on its old file.
    nudged: bool,
    /// When the timeline was told last.
    told_at: Option<UnixMillis>,
    /// Attempts since then.
    untold: u32,
    /// The Call-IDs that the phone was registered with when it said yes; `None`: it has not.
    accepted_in: Option<Vec<Box<str>>>,
}

/// What the timeline is to be told of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempted {
    /// Attempts with the result before this one that the timeline was not told.
    pub(super) untold: u32,
    /// Whether it is to be told now.
    pub(super) is_told: bool,
}

impl State {
    fn put(&mut self, restart: PhoneRestart) {
        let name = restart.device_name.clone();
        let at = restart.next_attempt_at;
        let pending = Pending {
            restart,
            in_flight: false,
            nudged: false,
            told_at: None,
            untold: 0,
            accepted_in: None,
        };
        if let Some(old) = self.pending.insert(name.clone(), pending) {
            self.due
                .remove(&(old.restart.next_attempt_at, name.clone()));
        }
        self.due.insert((at, name));
    }

    fn remove(&mut self, name: &DeviceName) {
        if let Some(old) = self.pending.remove(name) {
            self.due
                .remove(&(old.restart.next_attempt_at, name.clone()));
        }
    }
}

impl PhoneControl {
    fn state(&self) -> MutexGuard<'_, State> {
        locks::lock(&self.state)
    }

    /// Starts the attempts of a restart whose row is committed.
    pub fn submit(&self, restart: PhoneRestart) {
        self.state().put(restart);
        self.changed.notify_one();
    }

    /// The restart that this phone still owes.
    pub fn owed_by(&self, name: &DeviceName) -> Option<PhoneRestart> {
        let state = self.state();
        state
            .pending
            .get(name)
            .map(|pending| pending.restart.clone())
    }

    /// Whether this phone still owes a restart.
    pub fn is_owed_by(&self, name: &DeviceName) -> bool {
        self.state().pending.contains_key(name)
    }

    /// When the restart that this phone still owes was asked for.
    pub fn requested_at(&self, name: &DeviceName) -> Option<UnixMillis> {
        let state = self.state();
        let pending = state.pending.get(name);
        pending.map(|pending| pending.restart.requested_at)
    }

    /// What a registration with this Call-ID says, of a phone that has fetched its present file at
    /// this time. That a phone registers is no sign that it has its new file: it may have been off
    /// the network when it was changed, and come back as it was. `was_gone`: no registration of it
    /// was left, or it had said that it goes down.
    pub(in crate::service) fn at_registration(
        &self,
        name: &DeviceName,
        call_id: &str,
        file_fetched_at: Option<UnixMillis>,
        was_gone: bool,
    ) -> AtRegistration {
        let state = self.state();
        let Some(pending) = state.pending.get(name) else {
            return AtRegistration::NotOwed;
        };
        let requested_at = pending.restart.requested_at;
        let done = AtRegistration::Done { requested_at };
        if file_fetched_at.is_some_and(|fetched_at| fetched_at >= requested_at) {
            return done;
        }
        match &pending.accepted_in {
            None => AtRegistration::Unheard,
            // Some keep their Call-ID through a restart. Source: RFC 3261 clause 10.2.
            Some(before) if !was_gone && before.iter().any(|before| **before == *call_id) => {
                AtRegistration::Awaited
            }
            Some(_) => done,
        }
    }

    /// How many phones owe a restart.
    pub fn len(&self) -> usize {
        self.state().pending.len()
    }

    /// Whether no phone owes a restart.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those that were tried most often first, at most `limit`.
    pub fn most_tried(&self, limit: usize) -> Vec<PhoneRestart> {
        let state = self.state();
        let mut restarts: Vec<&PhoneRestart> = state
            .pending
            .values()
            .map(|pending| &pending.restart)
            .collect();
        restarts.sort_unstable_by(|a, b| {
            (b.attempts, &a.device_name).cmp(&(a.attempts, &b.device_name))
        });
        restarts.into_iter().take(limit).cloned().collect()
    }

    /// Tries again now: the phone has just shown that it still runs on its old file. One of many that
    /// was never tried keeps its place.
    pub fn nudge(&self, name: &DeviceName, now: UnixMillis) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(pending) = state.pending.get_mut(name) else {
            return;
        };
        if pending.restart.waits_its_turn() {
            return;
        }
        pending.nudged = pending.in_flight;
        let before = pending.restart.next_attempt_at;
        let soon = before.min(now.plus(FIRST_ATTEMPT_AFTER));
        pending.restart.next_attempt_at = soon;
        if state.due.remove(&(before, name.clone())) {
            state.due.insert((soon, name.clone()));
        }
        self.changed.notify_one();
    }

    pub(in crate::service) fn forget(&self, name: &DeviceName) {
        self.state().remove(name);
    }

    /// Forgets a restart that the database does not hold any more, unless it was asked for anew.
    pub(in crate::service) fn forget_requested(&self, name: &DeviceName, requested_at: UnixMillis) {
        let mut state = self.state();
        let pending = state.pending.get(name);
        if pending.is_some_and(|own| own.restart.requested_at == requested_at) {
            state.remove(name);
        }
    }

    /// Forgets those that were never tried and are not due before `after`. Gives how many.
    pub(super) fn forget_untried(&self, after: UnixMillis) -> usize {
        let mut state = self.state();
        let later = state.due.iter().filter(|(at, _)| *at > after);
        let later: Vec<DeviceName> = later
            .map(|(_, name)| name)
            .filter(|name| {
                let pending = state.pending.get(name);
                pending.is_some_and(|pending| pending.restart.attempts == 0)
            })
            .cloned()
            .collect();
        for name in &later {
            state.remove(name);
        }
        later.len()
    }

    /// Reads the restarts that are still owed after a start. Gives how many there are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or a row is corrupt.
    pub async fn load(&self, store: &store::Store) -> Result<usize, StoreError> {
        let restarts = store::phone_restart::all(store.read().await?.connection()).await?;
        let count = restarts.len();
        for restart in restarts {
            self.submit(restart);
        }
        Ok(count)
    }

    pub(super) fn take_due(&self, now: UnixMillis, limit: usize) -> Vec<PhoneRestart> {
        let mut state = self.state();
        let state = &mut *state;
        let mut due = Vec::new();
        while due.len() < limit && state.due.first().is_some_and(|(at, _)| *at <= now) {
            let Some((_, name)) = state.due.pop_first() else {
                break;
            };
            if let Some(pending) = state.pending.get_mut(&name) {
                pending.in_flight = true;
                due.push(pending.restart.clone());
            }
        }
        due
    }

    /// How long nothing is due, at most `longest`.
    pub(super) fn sleep(&self, now: UnixMillis, longest: Duration) -> Duration {
        let state = self.state();
        let next = state.due.first().map(|(at, _)| at.since(now));
        next.map_or(longest, |sleep| sleep.min(longest))
    }

    /// Waits until something was asked for or brought forward.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Takes an attempt's outcome, with the Call-IDs that the phone was registered with if it said
    /// yes; `None` when the restart was asked for anew or is done meanwhile.
    pub(super) fn attempted(
        &self,
        restart: &PhoneRestart,
        result_before: &str,
        accepted_in: Option<Vec<Box<str>>>,
        now: UnixMillis,
    ) -> Option<Attempted> {
        let name = &restart.device_name;
        let mut state = self.state();
        let state = &mut *state;
        let pending = state.pending.get_mut(name)?;
        if pending.restart.requested_at != restart.requested_at {
            return None;
        }
        pending.in_flight = false;
        let is_accepted = accepted_in.is_some();
        pending.accepted_in = accepted_in.or(pending.accepted_in.take());
        let nudged_at = pending.restart.next_attempt_at;
        pending.restart = restart.clone();
        // What the phone showed before it said yes is answered by that.
        if std::mem::take(&mut pending.nudged) && !is_accepted {
            pending.restart.next_attempt_at = restart.next_attempt_at.min(nudged_at);
        }
        state
            .due
            .insert((pending.restart.next_attempt_at, name.clone()));
        let is_news = restart.last_result != result_before;
        // After a restart of the service the day begins anew.
        let told_at = *pending.told_at.get_or_insert(now);
        let is_told = is_news || now.since(told_at) >= REPEATED_EVERY;
        let untold = pending.untold;
        if is_told {
            pending.told_at = Some(now);
            pending.untold = 0;
        } else {
            pending.untold = untold.saturating_add(1);
        }
        Some(Attempted { untold, is_told })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::MacAddress;
    use crate::domain::phone_restart::AFTER_ACCEPTED;
    use crate::domain::phone_restart::PhoneAction;

    fn restart(number: u8, next: i64) -> PhoneRestart {
        let mac = MacAddress::from_bytes([0, 0x11, 0x22, 0x33, 0x44, number]);
        let name = DeviceName::of_phone(mac);
        PhoneRestart::new(name, PhoneAction::Restart, UnixMillis(0), UnixMillis(next))
    }

    #[test]
    fn attempts_come_in_the_order_of_their_times_and_one_at_a_time() {
        let control = PhoneControl::default();
        for (number, at) in [(1, 30), (2, 10), (3, 20)] {
            control.submit(restart(number, at));
        }
        let names = |due: Vec<PhoneRestart>| -> Vec<DeviceName> {
            due.into_iter().map(|restart| restart.device_name).collect()
        };
        let name = |number| restart(number, 0).device_name;
        assert_eq!(
            names(control.take_due(UnixMillis(20), 9)),
            [name(2), name(3)]
        );
        assert!(control.take_due(UnixMillis(20), 9).is_empty());
        assert_eq!(
            control.sleep(UnixMillis(20), Duration::from_secs(1)),
            Duration::from_millis(10)
        );
        // Asked for anew while an attempt is under way: the outcome of that is nobody's.
        let mut anew = restart(2, 25);
        anew.requested_at = UnixMillis(21);
        control.submit(anew);
        assert_eq!(
            control.attempted(&restart(2, 99), "", None, UnixMillis(22)),
            None
        );
        assert_eq!(names(control.take_due(UnixMillis(40), 1)), [name(2)]);
        control.forget(&name(1));
        assert!(control.take_due(UnixMillis(40), 9).is_empty());
        assert_eq!(control.len(), 2);
    }

    #[test]
    fn a_nudge_during_an_attempt_brings_the_next_one_forward() {
        let control = PhoneControl::default();
        control.submit(restart(1, 0));
        let mut taken = control.take_due(UnixMillis(0), 1).remove(0);
        control.nudge(&taken.device_name.clone(), UnixMillis(100));
        assert!(control.take_due(UnixMillis(10_000), 1).is_empty());
        taken.attempted(false, "x".to_owned(), UnixMillis(200));
        let attempted = control.attempted(&taken, "", None, UnixMillis(200));
        assert!(attempted.is_some());
        assert_eq!(control.take_due(UnixMillis(600), 1).len(), 1);
    }

    #[test]
    fn what_a_phone_showed_before_it_said_yes_has_it_asked_no_second_time() {
        let control = PhoneControl::default();
        control.submit(restart(1, 0));
        let mut taken = control.take_due(UnixMillis(0), 1).remove(0);
        control.nudge(&taken.device_name.clone(), UnixMillis(100));
        taken.attempted(true, "x".to_owned(), UnixMillis(200));
        let lines = Some(vec!["a".into()]);
        assert!(
            control
                .attempted(&taken, "", lines, UnixMillis(200))
                .is_some()
        );
        let again = UnixMillis(200).plus(AFTER_ACCEPTED);
        assert!(control.take_due(UnixMillis(again.0 - 1), 1).is_empty());
        assert_eq!(control.take_due(again, 1).len(), 1);
    }

    #[test]
    fn one_of_many_keeps_its_place_until_it_was_tried() {
        let control = PhoneControl::default();
        let mut owed = restart(1, 60_000);
        control.submit(owed.clone());
        control.nudge(&owed.device_name, UnixMillis(10));
        assert!(control.take_due(UnixMillis(59_999), 1).is_empty());
        assert_eq!(control.take_due(UnixMillis(60_000), 1).len(), 1);
        owed.attempted(false, "x".to_owned(), UnixMillis(60_000));
        assert!(
            control
                .attempted(&owed, "", None, UnixMillis(60_000))
                .is_some()
        );
        control.nudge(&owed.device_name, UnixMillis(60_001));
        assert_eq!(control.take_due(UnixMillis(60_501), 1).len(), 1);
    }

    #[test]
    fn a_registration_ends_what_the_phone_has_done_and_nothing_else() {
        use AtRegistration::{Awaited, Done, NotOwed, Unheard};
        let control = PhoneControl::default();
        let mut owed = restart(1, 0);
        let name = owed.device_name.clone();
        let at = |call_id, fetched_at: Option<i64>| {
            control.at_registration(&name, call_id, fetched_at.map(UnixMillis), false)
        };
        assert_eq!(at("a", None), NotOwed);
        owed.requested_at = UnixMillis(50);
        let done = Done {
            requested_at: owed.requested_at,
        };
        control.submit(owed.clone());
        assert_eq!(at("a", None), Unheard);
        assert_eq!(at("a", Some(49)), Unheard, "fetched before it was asked");
        assert_eq!(at("a", Some(50)), done);
        let lines: Vec<Box<str>> = vec!["a".into(), "b".into()];
        control.attempted(&owed, "", Some(lines), UnixMillis(60));
        control.attempted(&owed, "", None, UnixMillis(70));
        assert_eq!(
            [at("a", None), at("b", None), at("c", None)],
            [Awaited, Awaited, done]
        );
        assert_eq!(control.at_registration(&name, "a", None, true), done);
        control.forget_requested(&name, UnixMillis(49));
        assert!(control.is_owed_by(&name), "that was an earlier one");
        control.submit(owed);
        assert_eq!(at("c", None), Unheard, "asked for anew");
        let was_gone = control.at_registration(&name, "c", None, true);
        assert_eq!(was_gone, Unheard, "it has not heard of it");
    }

    #[test]
    fn only_what_was_never_tried_and_is_not_due_can_be_taken_back() {
        let control = PhoneControl::default();
        for (number, at) in [(1, 100), (2, 5_000), (3, 6_000)] {
            control.submit(restart(number, at));
        }
        let mut tried = restart(3, 6_000);
        tried.attempts = 1;
        control.submit(tried);
        assert_eq!(control.forget_untried(UnixMillis(1_000)), 1);
        assert_eq!(control.len(), 2);
    }
}
