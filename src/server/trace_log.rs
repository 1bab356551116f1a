//! The service trace in CUCM's form: `cucm-uds####.log`, one line an event.
//!
//! Callers only put an entry in a bounded queue; one thread formats and writes. When the queue is
//! full an entry is dropped and counted: a slow disk never delays a phone.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::domain::time::UnixMillis;
use crate::locks;
use crate::server::trace_files::{Retention, TraceFiles};

/// Name of the files that the handset's door writes. Source: Cisco document 214228.
pub const UDS_FILES: &str = "cucm-uds";

/// Entries waiting to be written: a second's worth at twice the highest login rate measured.
const QUEUE_ENTRIES: usize = 8_192;
/// Longest message in bytes; what is longer is cut.
const MESSAGE_BYTES_MAX: usize = 2_048;
/// Bytes gathered for one write.
const WRITE_BYTES: u64 = 16_384;

/// How grave an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody must do something.
    Error,
    /// Something is odd.
    Warn,
    /// What happened.
    Info,
    /// What happened inside.
    Debug,
}

impl Level {
    /// The word in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it happened.
    pub at: UnixMillis,
    /// How grave it is.
    pub level: Level,
    /// Who worked on it, for example `https-8443-exec-17`.
    pub worker: String,
    /// The part of the program, for example `handlers.SelfProvisionHandler`.
    pub logger: &'static str,
    /// What happened. Never a PIN or password.
    pub message: String,
}

enum Order {
    Write(Entry),
    Flush(SyncSender<()>),
    /// Only wakes the thread, which then looks for a new retention.
    Wake,
}

/// The trace that the doors write to. Dropping it writes what is queued and ends its thread.
#[derive(Debug)]
pub struct TraceLog {
    queue: Option<SyncSender<Order>>,
    thread: Option<JoinHandle<()>>,
    level: AtomicU8,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    dropped: AtomicU64,
    new_retention: Mutex<Option<Retention>>,
}

impl TraceLog {
    /// Opens the files `<name>####.log` in `folder` and starts the thread that writes them in the
    /// local time of `zone`.
    ///
    /// # Errors
    ///
    /// The folder or the current file cannot be made or written, or no thread be started.
    pub fn open(
        folder: &Path,
        name: &'static str,
        retention: Retention,
        level: Level,
        zone: TimeZone,
    ) -> io::Result<Self> {
        let files = TraceFiles::open(folder, name, retention)?;
        let (queue, orders) = sync_channel(QUEUE_ENTRIES);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            files,
            zone,
            lines: String::new(),
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::Builder::new()
            .name(format!("{name} log"))
            .spawn(move || writer.run(&orders))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            level: AtomicU8::new(level as u8),
            shared,
        })
    }

    /// Whether entries of this level are written now.
    pub fn enabled(&self, level: Level) -> bool {
        level as u8 <= self.level.load(Ordering::Relaxed)
    }

    /// Queues an entry if its level is written; never waits.
    pub fn write(&self, entry: Entry) {
        if self.enabled(entry.level) {
            self.order(Order::Write(entry));
        }
    }

    /// Writes entries of this level and graver ones from now on.
    pub fn set_level(&self, level: Level) {
        self.level.store(level as u8, Ordering::Relaxed);
    }

    /// Keeps this much from now on; a change deletes all but the current file.
    pub fn set_retention(&self, retention: Retention) {
        let mut new = locks::lock(&self.shared.new_retention);
        *new = Some(retention);
        drop(new);
        // When the queue is full the thread is awake anyway.
        let _ = self.queue.as_ref().map(|queue| queue.try_send(Order::Wake));
    }

    /// Entries lost to a full queue or a file that could not be written.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything queued before the call is in the file, `timeout` at most. Blocks:
    /// for the end of the process and for tests.
    pub fn flush(&self, timeout: Duration) {
        let (done, flushed) = sync_channel(1);
        let sent = self
            .queue
            .as_ref()
            .is_some_and(|queue| queue.send(Order::Flush(done)).is_ok());
        if sent && flushed.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("the service trace was not written in time");
        }
    }

    fn order(&self, order: Order) {
        let refused = match self.queue.as_ref().map(|queue| queue.try_send(order)) {
            Some(Ok(())) => false,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => true,
        };
        if refused {
            self.shared.count_dropped(1);
        }
    }
}

impl Drop for TraceLog {
    fn drop(&mut self) {
        // Without a sender the thread writes what is left and returns.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn count_dropped(&self, entries: u64) {
        self.dropped.fetch_add(entries, Ordering::Relaxed);
        metrics::counter!("selfprov_trace_entries_dropped_total").increment(entries);
    }
}

/// The thread's side.
struct Writer {
    files: TraceFiles,
    zone: TimeZone,
    lines: String,
    shared: Arc<Shared>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        while let Ok(first) = orders.recv() {
            let mut next = Some(first);
            // Gather what is there already, so that a burst is few writes.
            while let Some(order) = next {
                self.obey(order);
                next = orders.try_recv().ok();
            }
            self.write_lines();
        }
    }

    fn obey(&mut self, order: Order) {
        self.apply_retention();
        match order {
            Order::Write(entry) => self.take(&entry),
            Order::Flush(done) => {
                self.write_lines();
                let _ = done.try_send(());
            }
            Order::Wake => {}
        }
    }

    fn apply_retention(&mut self) {
        let new = locks::lock(&self.shared.new_retention).take();
        if let Some(retention) = new {
            self.write_lines();
            if let Err(error) = self.files.set_retention(retention) {
                tracing::error!(%error, "cannot delete the old service trace files");
            }
        }
    }

    fn take(&mut self, entry: &Entry) {
        let before = self.lines.len();
        push_line(&mut self.lines, entry, &self.zone);
        let full = self.files.room().min(WRITE_BYTES);
        if u64::try_from(self.lines.len()).unwrap_or(u64::MAX) > full {
            // The last line begins the next write, and with it perhaps the next file.
            let last = self.lines.split_off(before);
            self.write_lines();
            self.lines = last;
        }
    }

    fn write_lines(&mut self) {
        if self.lines.is_empty() {
            return;
        }
        if let Err(error) = self.files.append(self.lines.as_bytes()) {
            let entries = self.lines.bytes().filter(|b| *b == b'\n').count();
            self.shared
                .count_dropped(u64::try_from(entries).unwrap_or(u64::MAX));
            tracing::error!(%error, "cannot write the service trace; is the disk full?");
        }
        self.lines.clear();
    }
}

/// `2013-07-23 23:47:43,016 ERROR [http-bio-443-exec-177]  handlers.Handler - message`
fn push_line(out: &mut String, entry: &Entry, zone: &TimeZone) {
    let at = jiff::Timestamp::from_millisecond(entry.at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let at = zone.to_datetime(at);
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02},{:03} {} [{}]  {} - ",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond(),
        entry.level.as_str(),
        entry.worker,
        entry.logger
    );
    let end = entry.message.floor_char_boundary(MESSAGE_BYTES_MAX);
    let message = entry.message.get(..end).unwrap_or_default();
    // One event, one line: nobody can write a second one by what he enters.
    out.extend(
        message
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c }),
    );
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);

    fn entry(level: Level, message: &str) -> Entry {
        Entry {
            // 2013-07-23 23:47:43.016 in UTC+02:00
            at: UnixMillis(1_374_616_063_016),
            level,
            worker: "http-bio-443-exec-177".to_owned(),
            logger: "handlers.SelfProvisionHandler",
            message: message.to_owned(),
        }
    }

    fn open(folder: &Path, retention: Retention) -> TraceLog {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        TraceLog::open(folder, UDS_FILES, retention, Level::Info, zone).unwrap()
    }

    #[test]
    fn a_line_is_that_of_the_guide() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path(), Retention::default());
        log.write(entry(
            Level::Error,
            "Model phone template is not available.",
        ));
        log.write(entry(Level::Debug, "not written at INFO"));
        log.write(entry(Level::Info, "forged\n2013-07-23 line"));
        log.set_level(Level::Debug);
        log.write(entry(Level::Debug, "now it is"));
        drop(log);
        let text = fs::read_to_string(folder.path().join("cucm-uds0001.log")).unwrap();
        let prefix = "[http-bio-443-exec-177]  handlers.SelfProvisionHandler - ";
        let expected = format!(
            "2013-07-23 23:47:43,016 ERROR {prefix}Model phone template is not available.\n\
             2013-07-23 23:47:43,016 INFO {prefix}forged 2013-07-23 line\n\
             2013-07-23 23:47:43,016 DEBUG {prefix}now it is\n"
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn every_line_of_a_burst_is_whole_in_some_file_and_none_is_over_its_size() {
        let folder = tempfile::tempdir().unwrap();
        let retention = Retention::new(Retention::FILE_BYTES_MIN, 400).unwrap();
        let log = open(folder.path(), retention);
        for number in 0..5_000 {
            log.write(entry(Level::Info, &format!("event {number:04}.")));
        }
        log.flush(DEADLINE);
        assert_eq!(log.dropped(), 0);
        let mut events = Vec::new();
        let mut number = 1;
        while let Ok(text) =
            fs::read_to_string(folder.path().join(format!("cucm-uds{number:04}.log")))
        {
            assert!(u64::try_from(text.len()).unwrap() <= Retention::FILE_BYTES_MIN);
            assert!(text.ends_with('\n'));
            events.extend(
                text.lines()
                    .map(|line| line.split(" - ").nth(1).unwrap().to_owned()),
            );
            number += 1;
        }
        let expected: Vec<_> = (0..5_000)
            .map(|number| format!("event {number:04}."))
            .collect();
        assert_eq!(events, expected);
        assert!(number > 20);
    }

    #[test]
    fn a_retention_set_while_running_leaves_the_current_file_only() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(
            folder.path(),
            Retention::new(Retention::FILE_BYTES_MIN, 400).unwrap(),
        );
        for _ in 0..1_000 {
            log.write(entry(Level::Info, "filling"));
        }
        log.flush(DEADLINE);
        log.set_retention(Retention::default());
        log.write(entry(Level::Info, "after"));
        log.flush(DEADLINE);
        let logs = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect::<Vec<_>>();
        assert_eq!(logs.len(), 1, "{logs:?}");
        assert!(fs::read_to_string(&logs[0]).unwrap().ends_with("after\n"));
    }

    #[test]
    fn a_full_queue_drops_and_counts_and_never_blocks() {
        let (queue, orders) = sync_channel(1);
        let log = TraceLog {
            queue: Some(queue),
            thread: None,
            level: AtomicU8::new(Level::Info as u8),
            shared: Arc::new(Shared::default()),
        };
        for _ in 0..3 {
            log.write(entry(Level::Info, "x"));
        }
        assert_eq!(log.dropped(), 2);
        drop(orders);
        log.write(entry(Level::Info, "x"));
        assert_eq!(log.dropped(), 3);
    }
}
