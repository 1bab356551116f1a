//! Passwords and PINs that are typed at a terminal: unseen, twice, and Ctrl-C leaves the terminal
//! as it was.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use nix::pty::openpty;
use nix::sys::termios::{LocalFlags, tcgetattr};

use crate::program::{Serve, eventually, selfprov, text};

/// A command at a terminal of its own.
struct Terminal {
    child: Child,
    keyboard: File,
    line: OwnedFd,
    shown: Arc<Mutex<String>>,
}

impl Terminal {
    fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let pair = openpty(None, None).unwrap();
        let keyboard = File::from(pair.master);
        let program = selfprov(data_dir);
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]);
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            assert!(value.is_none(), "the harness sets no variable");
            command.env_remove(name);
        }
        let side = || Stdio::from(pair.slave.try_clone().unwrap());
        command.stdin(side()).stdout(side()).stderr(side());
        let child = command.args(arguments).spawn().unwrap();
        let shown = Arc::new(Mutex::new(String::new()));
        let (written, mut screen) = (Arc::clone(&shown), keyboard.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 1_024];
            while let Ok(length @ 1..) = screen.read(&mut bytes) {
                written.lock().unwrap().push_str(&text(&bytes[..length]));
            }
        });
        Self {
            child,
            keyboard,
            line: pair.slave,
            shown,
        }
    }

    fn echoes(&self) -> bool {
        let flags = tcgetattr(&self.line).unwrap().local_flags;
        flags.contains(LocalFlags::ECHO)
    }

    fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Types this once the question stands there.
    fn answer(&mut self, question: &str, typed: &str) {
        eventually(question, || self.shown().contains(question).then_some(()));
        assert!(!self.echoes(), "{question}");
        self.keyboard.write_all(typed.as_bytes()).unwrap();
    }

    /// Waits for its end; gives the exit status and what was shown, `last` in the end.
    fn end(mut self, last: &str) -> (Option<i32>, String) {
        let status = eventually("the end", || self.child.try_wait().unwrap());
        eventually(last, || self.shown().contains(last).then_some(()));
        assert!(self.echoes(), "the terminal must show again what is typed");
        (status.code(), self.shown())
    }
}

const QUESTION: &str = "New password of admin: ";
const AGAIN: &str = "The same again: ";

#[test]
fn a_new_secret_is_typed_twice_and_unseen() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let _serve = Serve::start(dir);
    let set = ["admin", "set-password", "admin"];
    let mut terminal = Terminal::start(dir, &set);
    terminal.answer(QUESTION, "Tall-Kettle-19\n");
    terminal.answer(AGAIN, "Tall-Ketle-19\n");
    let (status, shown) = terminal.end("nothing was changed");
    assert_eq!(status, Some(1), "{shown}");
    assert!(shown.contains("two different ones"), "{shown}");

    let mut terminal = Terminal::start(dir, &set);
    terminal.answer(QUESTION, "Tall-Kettle-19\n");
    terminal.answer(AGAIN, "Tall-Kettle-19\n");
    let (status, shown) = terminal.end("the password of admin is set");
    assert_eq!(status, Some(0), "{shown}");
    assert!(!shown.contains("Kettle"), "{shown}");

    for (arguments, question) in [
        (&["user", "add", "jdoe"][..], ""),
        (&["user", "set-pin", "jdoe"], "New PIN of jdoe: "),
        (&["user", "set-password", "jdoe"], "New password of jdoe: "),
        (
            &["user", "set-digest", "jdoe"],
            "New digest credentials of jdoe: ",
        ),
        (
            &["self-provisioning", "set-code"],
            "New authentication code: ",
        ),
    ] {
        let mut terminal = Terminal::start(dir, arguments);
        if question.is_empty() {
            assert_eq!(terminal.end("PIN ").0, Some(0));
            continue;
        }
        terminal.answer(question, "84652190\n");
        terminal.answer(AGAIN, "84652191\n");
        let (status, shown) = terminal.end("nothing was changed");
        assert_eq!(status, Some(1), "{shown}");
    }
}

#[test]
fn an_interrupted_question_leaves_a_terminal_that_shows_what_is_typed() {
    let dir = tempfile::tempdir().unwrap();
    let _serve = Serve::start(dir.path());
    for (at, question) in [QUESTION, AGAIN].into_iter().enumerate() {
        let mut terminal = Terminal::start(dir.path(), &["admin", "set-password", "admin"]);
        if at == 1 {
            terminal.answer(QUESTION, "Tall-Kettle-19\n");
        }
        // Ctrl-C, which the terminal makes into SIGINT.
        terminal.answer(question, "\u{3}");
        let (status, shown) = terminal.end("interrupted; nothing was changed");
        assert_eq!(status, Some(1), "{shown}");
    }
}
