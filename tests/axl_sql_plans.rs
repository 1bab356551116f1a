//! What the questions of scripts cost: however large the installation is, a join finds the rows of
//! the other tables by an index. SQLite tells how it will go about it.

use crate::common::Database;
use crate::common::TestApp;
use selfprov::service::sql;
use sqlx::Row as _;

/// Statements that public scripts send, and how many tables they may read from end to end: the one
/// that they begin with, or none.
const STATEMENTS: [(&str, usize); 7] = [
    (
        "select d.name, d.description, n.dnorpattern, rp.name as partition from device d \
         inner join devicenumplanmap dnpm on dnpm.fkdevice = d.pkid \
         inner join numplan n on dnpm.fknumplan = n.pkid \
         left join routepartition rp on n.fkroutepartition = rp.pkid",
        1,
    ),
    (
        "select n.dnorpattern, m.numplanindex from device d, devicenumplanmap m, numplan n \
         where m.fkdevice = d.pkid and m.fknumplan = n.pkid and d.name = 'SEP0011AABBCC01'",
        0,
    ),
    (
        "select d.name from numplan n inner join devicenumplanmap m on m.fknumplan = n.pkid \
         inner join device d on d.pkid = m.fkdevice where n.dnorpattern = '\\\\+491004'",
        0,
    ),
    (
        "select n.dnorpattern from numplan n \
         left join devicenumplanmap m on m.fknumplan = n.pkid where m.pkid is null",
        1,
    ),
    (
        "select d.name from device d \
         where not exists (select m.pkid from devicenumplanmap m where m.fkdevice = d.pkid)",
        1,
    ),
    (
        "select e.userid, d.name from enduser e \
         inner join enduserdevicemap m on m.fkenduser = e.pkid \
         inner join device d on d.pkid = m.fkdevice where e.userid = 'aksethi'",
        // Rows of two tables are one table of CUCM's; both are read, but once.
        3,
    ),
    (
        "select d.name, p.name from device d inner join devicepool p on p.pkid = d.fkdevicepool",
        1,
    ),
];

#[tokio::test]
async fn joins_find_their_rows_by_an_index() {
    let database = Database::sqlite();
    let test = TestApp::start(&database).await;
    for (statement, scans) in STATEMENTS {
        let texts = sql::check(statement).unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {}", texts[0]);
        let mut reader = test.app.store.read().await.unwrap();
        let plan = sqlx::query(sqlx::AssertSqlSafe(explain))
            .fetch_all(reader.connection())
            .await
            .unwrap();
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        let scanned = steps.iter().filter(|step| step.starts_with("SCAN"));
        assert!(scanned.count() <= scans, "{statement}: {steps:#?}");
        let is_made = |step: &String| step.contains("AUTOMATIC") || step.contains("MATERIALIZE");
        assert!(!steps.iter().any(is_made), "{statement}: {steps:#?}");
    }
}
