//! Commands that are under way when the service is told to end.

use std::io::BufRead as _;
use std::io::BufReader;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use selfprov::server::control;
use selfprov::server::control::protocol::Response;
use selfprov::server::control::protocol::socket_path;
use selfprov::server::shutdown;
use selfprov::service::environment::Entropy;
use selfprov::store::Engine;
use selfprov::store::Transaction;
use tokio::io::AsyncBufReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::common::TestApp;
use crate::common::for_each_database;
use crate::program;

/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Randomness that counts how often it is asked for: every command begins with an identity of its
/// own.
struct Counting(Arc<AtomicUsize>);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fetch_add(1, Ordering::SeqCst);
        getrandom::fill(bytes).unwrap();
    }
}

/// Keeps everybody else from adding users until it is dropped.
async fn holding_users(test: &TestApp) -> Transaction {
    let mut transaction = test.app.store.begin().await.unwrap();
    if test.app.store.engine() == Engine::PostgreSql {
        sqlx::query("LOCK TABLE end_user IN EXCLUSIVE MODE")
            .execute(transaction.connection())
            .await
            .unwrap();
    }
    transaction
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_has_begun_is_answered_though_the_service_is_told_to_end() {
    for_each_database(async |database| {
        let drawn = Arc::new(AtomicUsize::new(0));
        let builder = TestApp::builder().entropy(Counting(Arc::clone(&drawn)));
        let test = builder.start(&database).await;
        let socket = socket_path(database.folder());
        let listener = control::bind(&socket).unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let served = tokio::spawn(control::serve(listener, test.app.clone(), shutdown));
        // Somebody who is connected and says nothing holds nobody up.
        let idle = UnixStream::connect(&socket).await.unwrap();

        let users = holding_users(&test).await;
        let before = drawn.load(Ordering::SeqCst);
        let (reader, mut writer) = UnixStream::connect(&socket).await.unwrap().into_split();
        let command = "{\"command\":\"user_add\",\"user_id\":\"kim\",\"first_name\":\"Kim\",\
                       \"last_name\":\"Kim\",\"must_change\":true}\n";
        writer.write_all(command.as_bytes()).await.unwrap();
        let begun = async {
            while drawn.load(Ordering::SeqCst) == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, begun).await.unwrap();
        trigger.request();
        // New ones are not let in any more.
        let closed = async { while UnixStream::connect(&socket).await.is_ok() {} };
        tokio::time::timeout(DEADLINE, closed).await.unwrap();
        drop(users);

        let mut answer = String::new();
        let mut reader = tokio::io::BufReader::new(reader);
        let read = reader.read_line(&mut answer);
        tokio::time::timeout(DEADLINE, read).await.unwrap().unwrap();
        let response: Response = serde_json::from_str(&answer).unwrap();
        assert!(matches!(response, Response::Ok(_)), "{response:?}");
        assert!(test.end_user("kim").await.is_some());
        tokio::time::timeout(DEADLINE, served)
            .await
            .unwrap()
            .unwrap();
        drop(idle);
    })
    .await;
}

#[test]
fn a_command_without_an_answer_says_that_it_may_have_been_done() {
    let folder = tempfile::tempdir().unwrap();
    program::done(folder.path(), &["config"]);
    let listener = UnixListener::bind(socket_path(folder.path())).unwrap();
    let service = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        assert!(line.contains("user_add"), "{line}");
    });
    let said = program::refused(folder.path(), &["user", "add", "kim"], 1);
    service.join().unwrap();
    let expected =
        "the service ended before it answered; look whether it was done before you repeat it";
    assert!(said.contains(expected), "{said}");
}
