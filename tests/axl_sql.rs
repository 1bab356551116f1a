//! Questions in SQL over CUCM's tables: the statements that public scripts send, on both databases.

use std::time::Duration;

use crate::common::TestApp;
use crate::common::for_each_database;
use selfprov::domain::phone::DigestUser;
use selfprov::domain::sql_name::SqlName;
use selfprov::service::App;
use selfprov::service::sql;
use selfprov::service::sql::SqlError;
use selfprov::service::sql::SqlLimits;

const LIMITS: SqlLimits = SqlLimits {
    time: Duration::from_secs(20),
    bytes_max: 0,
};

/// A user with a line and two phones, one of which uses the user's digest credentials.
async fn site(test: &TestApp) {
    let user = test.add_user("jdoe", "7001", "924680").await;
    test.add_phone("SEP001122334455", Some(&user)).await;
    let mut base = test.phone("SEP0011223344AA", None);
    base.digest.digest_user = Some(Box::new(DigestUser {
        pkid: user.pkid,
        user_id: "jdoe".into(),
    }));
    base.digest.sealed_secret = None;
    test.put_phone(base).await;
}

/// The rows as text, a comma between values, a line a row.
async fn rows(app: &App, statement: &str) -> String {
    let rows = sql::query(app, statement, LIMITS).await;
    let rows = rows.unwrap_or_else(|error| panic!("{statement}: {error}"));
    let line = |row: &Vec<Option<String>>| {
        let values = row.iter().map(|value| value.as_deref().unwrap_or("NULL"));
        values.collect::<Vec<_>>().join(",")
    };
    rows.rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blogs_question_finds_the_digest_user() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        let statement = "select d.name, eu.userid, tua.name as association \
            from enduserdevicemap eudm, enduser eu, device d, typeuserassociation tua \
            where eudm.fkenduser=eu.pkid and eudm.fkdevice=d.pkid \
            and eudm.tkuserassociation=tua.enum and tua.name=\"Digest In\"";
        assert_eq!(
            rows(&test.app, statement).await,
            "SEP0011223344AA,jdoe,Digest In"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forms_that_public_scripts_use_are_understood() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        for (statement, expected) in [
            ("SELECT userid FROM enduser WHERE keypadenteredalternateidentifier = '7001'", "jdoe"),
            (
                "select d.name as Device, n.dnorpattern from device as d \
                 inner join devicenumplanmap as m on m.fkdevice = d.pkid \
                 inner join numplan as n on m.fknumplan = n.pkid where m.numplanindex = '1'",
                "SEP001122334455,7001",
            ),
            (
                "select n.dnorpattern from numplan n left outer join devicenumplanmap m \
                 on m.fknumplan=n.pkid where m.pkid is null and n.tkpatternusage=2",
                "1004",
            ),
            ("select count(*) from device where lower(name) like 'sep%aa'", "1"),
            ("select first 1 name from device order by name desc", "SEP0011223344AA"),
            ("select skip 1 first 1 name from device order by name", "SEP0011223344AA"),
            ("select name from device where name like 'sep%'", ""),
            (
                "select case when fkenduser is null then 'free' else 'owned' end as state, \
                 count(*) as n from device group by state order by 1",
                "free,1\nowned,1",
            ),
            (
                "select concat(firstname, lastname) from enduser where userid in \
                 (select userid from enduser where status = 1) and userid = 'jdoe'",
                "akashsethi",
            ),
            (
                "select userid from enduser eu where exists \
                 (select 1 from device d where d.fkenduser = eu.pkid)",
                "jdoe",
            ),
            ("select name from typemodel where enum = 622", "Cisco 7841"),
            ("select tkmodel from device where tkmodel = '622' and tkclass between 1 and 2 and name = 'SEP001122334455'", "622"),
            ("select tabname from systables where tabname like 'enduserdevice%' and tabid > 99", "enduserdevicemap"),
            (
                "select c.colname from systables t, syscolumns c where t.tabid = c.tabid \
                 and t.tabname = 'routepartition' order by c.colno",
                "pkid\nname\ndescription",
            ),
            (
                "select userid from enduser where userid like 'jd%' union select name \
                 from applicationuser where name = 'none' order by 1",
                "jdoe",
            ),
            ("select nvl(fkcallingsearchspace, 'none') from device where name = 'SEP001122334455';", "none"),
            ("select 'it''s' || \" one\" from enduser where userid = 'jdoe'", "it's one"),
            // One text for the database, values of other types.
            ("select 17 from enduser where userid = 'jdoe'", "17"),
            ("select 'a text' from enduser where userid = 'jdoe'", "a text"),
            ("select 18 from enduser where userid = 'jdoe'", "18"),
        ] {
            assert_eq!(rows(&test.app, statement).await, expected, "{statement}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_table_can_be_read_whole() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        for table in selfprov::store::cucm_tables::all() {
            let statement = format!("select first 3 * from {}", table.name);
            let rows = sql::query(&test.app, &statement, LIMITS).await;
            let rows = rows.unwrap_or_else(|error| panic!("{statement}: {error}"));
            assert_eq!(rows.columns.len(), table.columns.len());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_question_is_refused_with_informixs_numbers_and_changes_nothing() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        for (statement, number) in [
            ("delete from device", -201),
            ("drop table device", -201),
            ("select name from device; delete from device", -201),
            ("select name from nothing", -206),
            ("select sip_secret from device", -217),
            ("select hash from credential", -217),
            ("select * from end_user", -206),
            ("select * from sqlite_master", -206),
            (
                "select pkid from device d, enduser e where name = 'x' and userid = pkid",
                -324,
            ),
            ("select load_extension('x') from device", -674),
            ("select pg_sleep(10) from device", -674),
            ("select concat(name, name, name) from device", -674),
            ("select name into x from device", -201),
            ("with a as (select 1) select * from a", -201),
            (
                "select name from device where name = 'x' collate nocase",
                -201,
            ),
            ("attach database 'x' as y", -201),
        ] {
            let error = sql::query(&test.app, statement, LIMITS).await;
            let error = error.expect_err(statement);
            assert_eq!(error.number(), number, "{statement}: {error}");
        }
        let injected = "select name from device where name = 'x'' or ''1''=''1'";
        assert_eq!(rows(&test.app, injected).await, "");
        assert_eq!(rows(&test.app, "select count(*) from device").await, "2");
    })
    .await;
}

/// Texts that stand where names do: they end the name in the text for the database, if they get
/// there.
const NAMES_OF_ATTACKERS: &[&str] = &[
    "'a\" union select owner||kind||hash from credential -- '",
    "\"a\"\" union select digest_credentials from end_user -- \"",
    "'a\" from device union select name||sip_secret from device -- '",
    "'a\" union select name from sqlite_master -- '",
    "'a\" union select rolname from pg_authid -- '",
    "'a\"; delete from device; -- '",
    "'a\", (select hash from credential limit 1) as \"b'",
    "'a\\\" union select hash from credential /* '",
    "'device'",
    "\"a b\"",
    "'a.b'",
    "'1a'",
    "''",
    "\"a\"\"b\"",
    "'a\0b'",
    "'ä'",
    "E'a\\x22'",
    "U&'a\\0022'",
    "$$a\" union select hash from credential -- $$",
    "[a]",
    "`a`",
];

/// Where a name may stand.
const PLACES_OF_NAMES: &[&str] = &[
    "select 1 as NAME",
    "select 1 NAME",
    "select name as NAME from device",
    "select name from device as NAME",
    "select name from device NAME",
    "select NAME.name from device",
    "select NAME.* from device d",
    "select d.NAME from device d",
    "select NAME.name from device as NAME",
    "select x from (select name as NAME from device) d",
    "select name from (select name from device) as NAME",
    "select d.name from (select name from device) d (NAME)",
    "select d.name from device d (NAME)",
    "select d.name from device d join enduser NAME on d.fkenduser = NAME.pkid",
    "select name as n from device group by NAME",
    "select name as n from device order by d.NAME",
    "select name as n from device order by 1 NAME",
    "select name from device union select name as NAME from device",
    "select name from NAME",
    "select name from informix.NAME",
    "select name from NAME.device",
    "select NAME(name) from device",
    "select lower(NAME => name) from device",
    "select name from device where name like 'a' escape NAME",
    "select cast(name as NAME) from device",
    "select name from device order by name collate NAME",
    "select first NAME name from device",
    "select name from device limit NAME",
    "select count(*) over (partition by NAME) from device",
    "select name from device window NAME as (order by name)",
    "with NAME as (select 1) select * from device",
    "select * except (NAME) from device",
    "select interval NAME day",
    "select date NAME",
    "select name from device for update of NAME",
    "select name from device -- NAME \n where NAME = 1",
    "select extract(NAME from name) from device",
    "select name from device where name is of type NAME",
    "select name from device tablesample NAME (1)",
    "select case when 1 = 1 then name end as NAME from device",
    "select (select first 1 name as NAME from device) from device",
];

/// A name gets into no text for the database: what is accepted shows nothing but what the question
/// asks for.
#[tokio::test(flavor = "multi_thread")]
async fn names_never_become_part_of_the_statement() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        let mut refused = 0;
        for name in NAMES_OF_ATTACKERS {
            for place in PLACES_OF_NAMES {
                let statement = place.replace("NAME", name);
                match sql::query(&test.app, &statement, LIMITS).await {
                    Err(error) => {
                        assert!(error.number() < -1, "{statement}: {error}");
                        refused += 1;
                    }
                    Ok(rows) => {
                        let values = rows.rows.iter().flatten().flatten();
                        for value in values {
                            let is_asked_for = value.starts_with("SEP") || value == "1";
                            assert!(is_asked_for, "{statement}: {value}");
                        }
                        for column in &rows.columns {
                            let name = column.as_str().as_bytes();
                            assert!(!name[0].is_ascii_digit(), "{statement}");
                            let is_part = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
                            assert!(name.iter().all(is_part), "{statement}");
                        }
                    }
                }
            }
        }
        let all = NAMES_OF_ATTACKERS.len() * PLACES_OF_NAMES.len();
        assert!(refused > all * 9 / 10, "{refused} of {all}");
        // What the review sent, with the sentence that says what to do instead.
        let statement = "select 1 as 'a\" union select owner||kind||hash from credential -- '";
        let error = sql::query(&test.app, statement, LIMITS).await.unwrap_err();
        assert_eq!(error.number(), -201);
        assert!(
            error
                .to_string()
                .contains("letters, digits and underscores")
        );
        assert_eq!(rows(&test.app, "select count(*) from device").await, "2");
    })
    .await;
}

/// Names of callers that are words of the language, or of tables of ours, are names all the same.
#[tokio::test(flavor = "multi_thread")]
async fn any_word_may_be_a_name() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        for (statement, columns, expected) in [
            (
                "select credential.name as hash, count(*) as \"Credential\" from device credential \
                 group by hash order by hash",
                "hash credential",
                "SEP001122334455,1\nSEP0011223344AA,1",
            ),
            (
                "select a.name, b.name, a.* from typeclass a, typeclass b \
                 where a.enum = b.enum and a.enum = 1",
                "name name enum name moniker",
                "Phone,Phone,1,Phone,PHONE",
            ),
            (
                "select t1.c1 as c2, c1 c3 from (select name c1 from device d) t1 order by c2 desc",
                "c2 c3",
                "SEP0011223344AA,SEP0011223344AA\nSEP001122334455,SEP001122334455",
            ),
            (
                "select x.* from (select name as n, tkmodel from device) as x where n like '%55'",
                "n tkmodel",
                "SEP001122334455,622",
            ),
            (
                "select max(name) from device union select name from device order by max",
                "max",
                "SEP001122334455\nSEP0011223344AA",
            ),
        ] {
            let given = sql::query(&test.app, statement, LIMITS).await.unwrap();
            let names: Vec<&str> = given.columns.iter().map(SqlName::as_str).collect();
            assert_eq!(names.join(" "), columns, "{statement}");
            assert_eq!(rows(&test.app, statement).await, expected, "{statement}");
        }
        let statement = "select name from (select a.name, b.name from device a, device b) d";
        let error = sql::query(&test.app, statement, LIMITS).await.unwrap_err();
        assert_eq!(error.number(), -324, "{error}");
        for statement in [
            "select name from device order by name nulls first",
            "select d.n from (select name from device) as d (n)",
        ] {
            let error = sql::query(&test.app, statement, LIMITS).await.unwrap_err();
            assert_eq!(error.number(), -201, "{statement}: {error}");
        }
    })
    .await;
}

/// Scripts make long lists of conditions, attackers deep ones: the service reads both, or refuses
/// them, and goes on.
#[tokio::test(flavor = "multi_thread")]
async fn long_and_deep_questions_are_answered_or_refused() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        let named = "name = 'x' or ".repeat(1_500);
        let list = "'x', ".repeat(3_000);
        let text = "'x' || ".repeat(1_000);
        for (statement, expected) in [
            (
                format!("select count(*) from device where {named} name = 'SEP001122334455'"),
                "1",
            ),
            (
                format!("select count(*) from device where name in ({list} 'SEP001122334455')"),
                "1",
            ),
            (
                format!("select length({text} '') from typeclass where enum = 1"),
                "1000",
            ),
        ] {
            assert_eq!(rows(&test.app, &statement).await, expected);
        }
        let nested = |open: &str, inner: &str, close: &str, depth: usize| {
            format!(
                "select {}{inner}{} from device",
                open.repeat(depth),
                close.repeat(depth)
            )
        };
        for statement in [
            nested("lower(", "name", ")", 39),
            nested("lower(", "name", ")", 3_000),
            nested("(select ", "1", ")", 39),
            nested("(select ", "1", ")", 3_000),
            nested("case when 1 = 1 then ", "1", " end", 1_000),
            nested("1 + ", "1", "", 4_000),
            nested("not ", "1 = 1", "", 5_000),
            nested("'x' || ", "'x'", "", 9_000),
            nested("- ", "1", "", 9_000),
            format!(
                "select 1 from device where name = {}",
                "1 = ".repeat(4_000) + "1"
            ),
            format!("select 1 {}", "union select 1 ".repeat(2_000)),
            format!(
                "select * from {}device{}",
                "(select * from ".repeat(39),
                ") a".repeat(39)
            ),
        ] {
            // Whatever the answer is, there is one.
            drop(sql::query(&test.app, &statement, LIMITS).await);
        }
        assert_eq!(rows(&test.app, "select count(*) from device").await, "2");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_never_ends_is_ended_and_others_go_on() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let endless = "select count(*) from syscolumns a, syscolumns b, syscolumns c, \
                       syscolumns d, syscolumns e where a.colno + b.colno = c.colno * d.colno - e.colno";
        let limits = SqlLimits {
            time: Duration::from_millis(200),
            ..LIMITS
        };
        let error = sql::query(&test.app, endless, limits).await.unwrap_err();
        assert!(matches!(error, SqlError::TimedOut(_)), "{error}");
        assert_eq!(rows(&test.app, "select count(*) from enduser").await, "1");
    })
    .await;
}

/// Texts that double with every derived table, expressions that do, and lists of such.
#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_grows_when_it_is_written_out_is_refused_before_it_runs() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let text = "x".repeat(16 * 1024);
        let grown = |start: &str, step: &str, times: usize| {
            let mut from = format!("select {start} as x from typeclass where enum = 1");
            for _ in 0..times {
                from = format!("select {step} as x from ({from}) a");
            }
            from
        };
        // Half a megabyte is made.
        let fits = grown(&format!("'{text}'"), "x || x", 5);
        let statement = format!("select length(x) from ({fits}) a");
        assert_eq!(rows(&test.app, &statement).await, "524288");
        let list = vec!["'a'"; 4_000].join(", ");
        let texts = ["'a' || 'b'"; 200].join(" || ");
        for statement in [
            grown(&format!("'{text}'"), "x || x", 13),
            grown(&format!("'{text}'"), "concat(x, upper(x))", 13),
            grown("name", "x || x || x", 12),
            grown("enum", "x + x", 15),
            grown("enum", "case when x = x then x else x end", 12),
            grown("name", "nvl(x, x)", 15),
            grown("name", "substr(x || x, 1, 2)", 15),
            grown("name", "(select max(x) || x from device)", 14),
            format!(
                "{} union select 'a'",
                grown(&format!("'{text}'"), "x || x", 13)
            ),
            format!(
                "select 1 from ({}) a where x in ({list})",
                grown("name", "x || x", 3)
            ),
            format!(
                "select 1 from ({}) a where x between x and {texts}",
                grown("name", "x || x", 12)
            ),
            format!(
                "select {} from (select name || '{text}' as x from device) a",
                vec!["x"; 300].join(", ")
            ),
            format!(
                "select a.*, a.*, a.* from ({}) a",
                grown(&format!("'{text}'"), "x || x", 6)
            ),
        ] {
            let error = sql::query(&test.app, &statement, LIMITS).await;
            let shown: String = statement.chars().take(200).collect();
            let error = error.expect_err(&shown);
            assert_eq!(error.number(), -1, "{shown}: {error}");
            assert!(matches!(error, SqlError::TooHeavy(_)), "{shown}: {error}");
        }
        assert_eq!(rows(&test.app, "select count(*) from typeclass").await, "3");
    })
    .await;
}

/// Many columns of every row of many tables, compared without end.
const ENDLESS: &str = "select count(*) from syscolumns a, syscolumns b, syscolumns c, \
    syscolumns d, syscolumns e, device where a.colno + b.colno = c.colno * d.colno - e.colno";

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_questions_run_or_wait_and_the_next_is_told_to_come_again() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        let app = std::sync::Arc::clone(&test.app);
        let limits = SqlLimits {
            time: Duration::from_secs(4),
            ..LIMITS
        };
        let mut questions = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let app = std::sync::Arc::clone(&app);
            questions.spawn(async move { sql::query(&app, ENDLESS, limits).await.unwrap_err() });
        }
        // Those that are refused are told so while the first two still run.
        for number in 0..14 {
            let error = questions.join_next().await.unwrap().unwrap();
            assert_eq!(error, SqlError::Busy, "{number}");
            assert_eq!(error.number(), -1);
        }
        let mut timed_out = 0;
        while let Some(error) = questions.join_next().await {
            match error.unwrap() {
                SqlError::TimedOut(_) => timed_out += 1,
                error => assert_eq!(error, SqlError::Busy),
            }
        }
        // Two ran from the start; those that waited as long as they may were told to come again.
        assert!((2..=4).contains(&timed_out), "{timed_out}");
        assert_eq!(rows(&app, "select count(*) from device").await, "2");
    })
    .await;
}

/// On PostgreSQL such a statement keeps one of the two connections until its time is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_question_whose_caller_has_gone_away_ends() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        site(&test).await;
        if test.app.store.engine() != selfprov::store::Engine::Sqlite {
            return;
        }
        let app = std::sync::Arc::clone(&test.app);
        let limits = SqlLimits {
            time: Duration::from_mins(10),
            ..LIMITS
        };
        let question = tokio::spawn(async move { sql::query(&app, ENDLESS, limits).await });
        test.add_user("late", "7002", "924680").await;
        until_read(&test.app, true).await;
        question.abort();
        until_read(&test.app, false).await;
    })
    .await;
}

/// Waits until somebody reads the database, or nobody does: a checkpoint says so.
async fn until_read(app: &App, is_read: bool) {
    let wait = async {
        loop {
            let mut reader = app.store.read().await.unwrap();
            let connection = reader.connection();
            let no_wait = sqlx::query("PRAGMA busy_timeout = 0");
            no_wait.execute(&mut *connection).await.unwrap();
            let checkpoint = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)");
            let row = checkpoint.fetch_one(&mut *connection).await.unwrap();
            let is_busy: i64 = sqlx::Row::get(&row, 0);
            if (is_busy == 1) == is_read {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_mins(1), wait).await;
    done.unwrap_or_else(|_| panic!("still {}read", if is_read { "not " } else { "" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_would_be_too_large_says_how_many_rows_would_fit() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let limits = SqlLimits {
            bytes_max: 1_000,
            ..LIMITS
        };
        let statement = "select name from typemodel";
        let error = sql::query(&test.app, statement, limits).await.unwrap_err();
        let SqlError::TooLarge { total, fitting } = error else {
            panic!("{error}");
        };
        assert!(fitting > 10 && fitting < total, "{fitting} of {total}");
        let statement = format!("select first {fitting} name from typemodel");
        assert!(sql::query(&test.app, &statement, limits).await.is_ok());
    })
    .await;
}
