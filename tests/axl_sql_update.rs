//! Changes in SQL over CUCM's tables: the statements of public scripts become the same use cases as
//! everywhere else, and everything else is refused with what to do instead.

use std::time::Duration;

use crate::common::Axl;
use crate::common::TestApp;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::end_user::EndUser;
use selfprov::domain::fresh_system::STANDARD_CCM_END_USERS;
use selfprov::domain::phone::Phone;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::history::record::Actor;
use selfprov::service::history::record::Who;
use selfprov::service::sql;
use selfprov::service::sql::ROWS_MAX;
use selfprov::service::sql::SqlError;
use selfprov::service::sql::SqlLimits;
use selfprov::service::users;
use selfprov::store;

fn actor() -> Actor {
    Actor {
        who: Who::Application("writer".parse().unwrap()),
        source: "192.0.2.9".to_owned(),
        correlation: None,
    }
}

async fn update(app: &App, statement: &str) -> Result<u64, SqlError> {
    sql::update(app, &actor(), statement).await
}

/// Carries a statement out that must succeed; gives how many rows it was.
async fn done(app: &App, statement: &str) -> u64 {
    let rows = update(app, statement).await;
    rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// The rows of a question, a comma between values.
async fn rows(app: &App, statement: &str) -> Vec<String> {
    let limits = SqlLimits {
        time: Duration::from_secs(20),
        bytes_max: 0,
    };
    let rows = sql::query(app, statement, limits).await;
    let rows = rows
        .unwrap_or_else(|error| panic!("{statement}: {error}"))
        .rows;
    let line = |row: Vec<Option<String>>| {
        let values = row
            .into_iter()
            .map(|value| value.unwrap_or("NULL".to_owned()));
        values.collect::<Vec<_>>().join(",")
    };
    rows.into_iter().map(line).collect()
}

/// The device as database and memory have it.
async fn device(app: &App, name: &str) -> Phone {
    let name: DeviceName = name.parse().unwrap();
    let mut reader = app.store.read().await.unwrap();
    let stored = store::device::find(reader.connection(), &name)
        .await
        .unwrap();
    let known = app.phones.find(&name).unwrap();
    assert_eq!(Some(&known.phone), stored.as_ref());
    stored.unwrap()
}

/// How many rows the audit log has.
async fn audited(app: &App, kind: &str, name: &str) -> usize {
    let mut reader = app.store.read().await.unwrap();
    let rows = store::history::audit_of(reader.connection(), kind, name, 1_000).await;
    let rows = rows.unwrap();
    assert!(
        rows.iter().all(|row| row.actor == "application:writer"),
        "{rows:?}"
    );
    rows.len()
}

/// Two users with digest credentials and a line each, and three phones.
async fn site(test: &TestApp) -> (EndUser, EndUser) {
    let jdoe = test.add_user("jdoe", "7001", "924680").await;
    let mroe = test.add_user("mroe", "7002", "924680").await;
    for user_id in ["jdoe", "mroe"] {
        let secret = Secret::from("Digest-secret-1");
        users::credentials::set_digest_credentials(&test.app, &actor(), user_id, Some(&secret))
            .await
            .unwrap();
    }
    test.add_phone("SEP000000000001", Some(&jdoe)).await;
    test.add_phone("SEP000000000002", None).await;
    test.add_phone("SEP000000000003", None).await;
    (jdoe, mroe)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_scripts_way_to_associate_a_device_works_over_axl() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let app = &axl.0.test.app;
        let (jdoe, _) = site(&axl.0.test).await;
        let phone = device(app, "SEP000000000002").await;
        let statement = format!(
            "<sql>insert into enduserdevicemap (fkenduser, fkdevice, defaultprofile, \
             tkuserassociation) values ('{}','{}','f','1')</sql>",
            jdoe.pkid, phone.pkid
        );
        let answer = axl.succeed("12.5", "executeSQLUpdate", &statement).await;
        assert_eq!(answer, "<rowsUpdated>1</rowsUpdated>");
        let devices = axl.0.test.controlled_by("jdoe").await;
        assert_eq!(devices, std::slice::from_ref(&phone.name));
        // The same once more, by somebody who may only read, and one that only reads.
        let (code, text) = axl.refused("12.5", "executeSQLUpdate", &statement).await;
        assert_eq!(code, -239, "{text}");
        let body = crate::common::axl_envelope(&format!(
            "<ns:executeSQLUpdate>{statement}</ns:executeSQLUpdate>"
        ));
        let answer = axl.call("reader", "\"CUCM:DB ver=12.5\"", &body).await;
        assert_eq!(answer.status, 500);
        assert!(answer.body.contains("may only read"), "{}", answer.body);
        let select = "<sql>select name from device</sql>";
        let (code, text) = axl.refused("12.5", "executeSQLUpdate", select).await;
        assert_eq!(code, -201);
        assert!(text.contains("executeSQLQuery"), "{text}");
        let delete = "<sql>delete from enduserdevicemap</sql>";
        let (code, text) = axl.refused("12.5", "executeSQLQuery", delete).await;
        assert_eq!(code, -201);
        assert!(text.contains("executeSQLUpdate"), "{text}");
        let delete = format!(
            "<sql>delete from enduserdevicemap where fkenduser = '{}' and fkdevice = '{}' \
             and tkuserassociation = 1;</sql>",
            jdoe.pkid, phone.pkid
        );
        let answer = axl.succeed("12.5", "executeSQLUpdate", &delete).await;
        assert_eq!(answer, "<rowsUpdated>1</rowsUpdated>");
        let answer = axl.succeed("12.5", "executeSQLUpdate", &delete).await;
        assert_eq!(answer, "<rowsUpdated>0</rowsUpdated>");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_user_of_a_device_comes_and_goes_as_a_row() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let (jdoe, _) = site(&test).await;
        let insert = |user: &str| {
            format!(
                "insert into enduserdevicemap (pkid, fkenduser, fkdevice, tkuserassociation) \
                 values (newid(), (select pkid from enduser where userid = \"{user}\"), \
                 (select pkid from device where name = 'SEP000000000003'), 3)"
            )
        };
        assert_eq!(done(app, &insert("jdoe")).await, 1);
        let phone = device(app, "SEP000000000003").await;
        assert_eq!(phone.digest.digest_user.as_ref().unwrap().pkid, jdoe.pkid);
        assert_eq!(phone.digest_user_name(), "jdoe");
        let names = "select d.name, e.userid, t.name from enduserdevicemap m, device d, \
            enduser e, typeuserassociation t where m.fkdevice = d.pkid and m.fkenduser = e.pkid \
            and m.tkuserassociation = t.enum";
        assert_eq!(rows(app, names).await, ["SEP000000000003,jdoe,Digest In"]);
        for user in ["jdoe", "mroe"] {
            let error = update(app, &insert(user)).await.unwrap_err();
            assert_eq!(error.number(), -239, "{error}");
        }
        assert_eq!(
            done(
                app,
                "delete from enduserdevicemap where tkuserassociation = '3'"
            )
            .await,
            1
        );
        assert_eq!(
            device(app, "SEP000000000003").await.digest.digest_user,
            None
        );
        assert_eq!(audited(app, "device", "SEP000000000003").await, 2);
        // One who has no digest credentials could never register.
        let error = update(app, &insert("aksethi")).await.unwrap_err();
        assert!(
            error.to_string().contains("has no digest credentials"),
            "{error}"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_change_by_the_use_case_that_pages_use() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let (_, mroe) = site(&test).await;
        let before = device(app, "SEP000000000001").await;
        let statement = "update device set description = 'Reception, it''s here', \
            fkenduser = (select pkid from enduser where userid='mroe'), \
            specialloadinformation = \"sip78xx.14-2\" where name = 'SEP000000000001'";
        assert_eq!(done(app, statement).await, 1);
        let after = device(app, "SEP000000000001").await;
        assert_eq!(&*after.description, "Reception, it's here");
        assert_eq!(after.owner, Some(mroe.pkid));
        assert_eq!(after.configuration.load_information, "sip78xx.14-2");
        // The phone hears of it.
        assert_ne!(after.version_stamp, before.version_stamp);
        assert!(app.phone_control.owed_by(&after.name).is_some());
        assert_eq!(audited(app, "device", "SEP000000000001").await, 1);

        let statement = "update device set description = lower(name) || ' ' || description \
            where name in ('SEP000000000001', 'SEP000000000002')";
        assert_eq!(done(app, statement).await, 2);
        let texts = rows(app, "select description from device order by name").await;
        assert_eq!(
            texts,
            [
                "sep000000000001 Reception, it's here",
                "sep000000000002 ",
                ""
            ]
        );
        assert_eq!(done(app, "update device set fkenduser = NULL").await, 3);
        assert_eq!(device(app, "SEP000000000001").await.owner, None);
        let pool = rows(app, "select pkid from devicepool").await.remove(0);
        let statement =
            format!("update device set fkdevicepool = '{pool}', fksoftkeytemplate = ''");
        assert_eq!(done(app, &statement).await, 3);
        assert_eq!(
            device(app, "SEP000000000002")
                .await
                .configuration
                .softkey_template,
            None
        );
        assert_eq!(
            done(
                app,
                "update device set description = 'x' where name = 'none'"
            )
            .await,
            0
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_and_their_places_on_devices_change() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        site(&test).await;
        let statement = "update numplan set description='Front desk', alertingname='Desk', \
            alertingnameascii='Desk' where dnorpattern='7001'";
        assert_eq!(done(app, statement).await, 1);
        let numplan = "select description, alertingname from numplan where dnorpattern = '7001'";
        assert_eq!(rows(app, numplan).await, ["Front desk,Desk"]);
        assert_eq!(audited(app, "line", "7001").await, 1);

        let statement = "update devicenumplanmap set label='Desk', display='J. Doe', \
            e164mask='+49301234XXXX', maxnumcalls=3, busytrigger='2' \
            where fknumplan = (select pkid from numplan where dnorpattern = '7001')";
        assert_eq!(done(app, statement).await, 1);
        let phone = device(app, "SEP000000000001").await;
        let line = &phone.lines[0];
        assert_eq!((&*line.label, &*line.display), ("Desk", "J. Doe"));
        assert_eq!(&*line.external_phone_number, "+49301234XXXX");
        assert_eq!((line.max_number_of_calls, line.busy_trigger), (3, 2));

        let insert = "insert into devicenumplanmap (fkdevice, fknumplan, numplanindex, label) \
            select d.pkid, n.pkid, 2, 'Second' from device d, numplan n \
            where d.name like 'SEP%1' and n.dnorpattern = '7002'";
        assert_eq!(done(app, insert).await, 1);
        let phone = device(app, "SEP000000000001").await;
        assert_eq!(phone.lines.len(), 2);
        assert_eq!(phone.lines[0], *line, "the first line is as it was");
        assert_eq!(
            (phone.lines[1].index, &*phone.lines[1].label),
            (2, "Second")
        );
        assert_eq!(update(app, insert).await.unwrap_err().number(), -239);
        let delete = "delete from devicenumplanmap where numplanindex = 1";
        assert_eq!(done(app, delete).await, 1);
        let phone = device(app, "SEP000000000001").await;
        assert_eq!(phone.lines.len(), 1);
        assert_eq!(phone.lines[0].pattern.as_str(), "7002");
        let error = update(app, "update devicenumplanmap set label='a', labelascii='b'").await;
        assert_eq!(error.unwrap_err().number(), -273);
        let error = update(
            app,
            "update devicenumplanmap set maxnumcalls=1, busytrigger=2",
        )
        .await;
        assert!(error.unwrap_err().to_string().contains("busy trigger"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_change_with_their_groups_and_extension() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        site(&test).await;
        let statement = "update enduser set firstname='Jane', department='Sales', status=0, \
            keypadenteredalternateidentifier='7777' where userid='jdoe'";
        assert_eq!(done(app, statement).await, 1);
        let user = test.end_user("7777").await.unwrap();
        assert_eq!(user.person.first_name, "Jane");
        assert_eq!(user.person.last_name, "sethi");
        assert!(!user.enabled);

        let insert = "insert into enduserdirgroupmap (fkenduser, fkdirgroup) values (\
            (select pkid from enduser where userid='jdoe'), \
            (select pkid from dirgroup where name='Help Desk'))";
        assert_eq!(done(app, insert).await, 1);
        let groups = test.groups_of(&user).await;
        assert_eq!(groups, ["Help Desk", STANDARD_CCM_END_USERS]);
        assert_eq!(update(app, insert).await.unwrap_err().number(), -239);
        let delete = "delete from enduserdirgroupmap where fkenduser in \
            (select pkid from enduser where userid='jdoe') and fkdirgroup not in \
            (select pkid from dirgroup where name='Help Desk')";
        assert_eq!(done(app, delete).await, 1);
        let groups = test.groups_of(&user).await;
        assert_eq!(groups, ["Help Desk"]);

        let statement = "update endusernumplanmap set fknumplan = \
            (select pkid from numplan where dnorpattern='7002') where fkenduser = \
            (select pkid from enduser where userid='jdoe')";
        assert_eq!(done(app, statement).await, 1);
        let extension = "select n.dnorpattern from endusernumplanmap m, numplan n, enduser e \
            where m.fknumplan = n.pkid and m.fkenduser = e.pkid and e.userid = 'jdoe'";
        assert_eq!(rows(app, extension).await, ["7002"]);
        let delete = "delete from endusernumplanmap where fkenduser = \
            (select pkid from enduser where userid='jdoe')";
        assert_eq!(done(app, delete).await, 1);
        assert_eq!(rows(app, extension).await, Vec::<String>::new());
        // A user ID that is somebody's already.
        let error = update(app, "update enduser set userid='mroe' where userid='jdoe'").await;
        assert_eq!(error.unwrap_err().number(), -239);
        let error = update(app, "update enduser set userid='' where userid='jdoe'").await;
        assert!(matches!(error, Err(SqlError::Refused(_))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_one_transaction() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        site(&test).await;
        // The second of the two has no line 7001 to lose and stays; the first must stay as well.
        let statement = "update enduser set keypadenteredalternateidentifier = '8888' \
            where userid in ('jdoe', 'mroe')";
        assert_eq!(update(app, statement).await.unwrap_err().number(), -239);
        let ids = "select keypadenteredalternateidentifier from enduser \
            where userid in ('jdoe', 'mroe') order by userid";
        assert_eq!(rows(app, ids).await, ["7001", "7002"]);
        let statement = "update device set description = \
            case when name = 'SEP000000000003' then 'bad' || \"\u{7}\" else 'good' end";
        assert!(matches!(
            update(app, statement).await,
            Err(SqlError::Refused(_))
        ));
        let texts = rows(
            app,
            "select description from device where description <> ''",
        )
        .await;
        assert_eq!(texts, Vec::<String>::new());
        device(app, "SEP000000000001").await;
        assert_eq!(audited(app, "device", "SEP000000000001").await, 0);
    })
    .await;
}

/// Statements that are refused: the number and words of the fault.
const REFUSED: &[(&str, i32, &str)] = &[
    (
        "update device set fkdevicepool = NULL",
        -391,
        "device.fkdevicepool",
    ),
    ("update device set tkmodel = 1", -273, "updatePhone"),
    ("update device set descripton = 'x'", -217, "descripton"),
    ("update devices set description = 'x'", -206, "devices"),
    ("delete from device where name = 'x'", -274, "removePhone"),
    ("insert into device (name) values ('x')", -275, "addPhone"),
    ("delete from enduser", -274, "removeUser"),
    ("update devicepool set name = 'x'", -273, "updateDevicePool"),
    ("update typemodel set name = 'x'", -273, "cannot be changed"),
    (
        "insert into functionrole (name) values ('x')",
        -275,
        "updateUser with associatedGroups",
    ),
    (
        "insert into applicationuserdirgroupmap (fkdirgroup) values ('x')",
        -275,
        "updateAppUser",
    ),
    ("update device set description = ", -201, "syntax"),
    (
        "truncate table device",
        -201,
        "one INSERT, UPDATE or DELETE",
    ),
];

async fn refused(app: &App, statement: &str, number: i32, says: &str) {
    let error = update(app, statement).await.expect_err(statement);
    assert_eq!(error.number(), number, "{statement}: {error}");
    assert!(error.to_string().contains(says), "{statement}: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_has_informixs_number_and_says_what_to_do() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let (jdoe, _) = site(&test).await;
        let phone = device(app, "SEP000000000001").await.pkid;
        let (user, big) = (jdoe.pkid.to_string(), jdoe.pkid.to_string().to_uppercase());
        let map = |user: &str, device: &str, kind: &str| {
            format!(
                "insert into enduserdevicemap (fkenduser, fkdevice, tkuserassociation) \
                 values ({user}, {device}, {kind})"
            )
        };
        let (user, big) = (format!("'{user}'"), format!("'{big}'"));
        let phone = format!("'{phone}'");
        for (statement, number, says) in [
            (
                map(&big, &phone, "1"),
                -691,
                "fk_enduserdevicemap_fkenduser",
            ),
            (map(&phone, &phone, "1"), -691, "fkenduser"),
            (map("'x'", &phone, "1"), -691, "fkenduser"),
            (map(&user, &user, "1"), -691, "fk_enduserdevicemap_fkdevice"),
            (
                map(&user, "(select pkid from device where name = 'x')", "1"),
                -391,
                "fkdevice",
            ),
            (
                map(&user, "(select pkid from device)", "1"),
                -284,
                "exactly one row",
            ),
            (map(&user, "null", "1"), -391, "enduserdevicemap.fkdevice"),
            (map(&user, &phone, "'one'"), -1213, "tkuserassociation"),
            (map(&user, &phone, "5"), -275, "use 1, a controlled device"),
            (map(&user, "fkdevice", "1"), -217, "fkdevice"),
            (
                format!("update device set fkdevicepool = {user}"),
                -691,
                "fk_device_fkdevicepool",
            ),
            (
                format!("update device set fklocation = {phone}"),
                -691,
                "fk_device_fklocation",
            ),
        ] {
            refused(app, &statement, number, says).await;
        }
        for (statement, number, says) in REFUSED {
            refused(app, statement, *number, says).await;
        }
        assert_eq!(
            rows(app, "select count(*) from enduserdevicemap").await,
            ["0"]
        );
        assert_eq!(audited(app, "device", "SEP000000000001").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn attacks_change_nothing() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        site(&test).await;
        let nested = |open: &str, depth: usize| {
            let (open, close) = (open.repeat(depth), ")".repeat(depth));
            format!("update device set description = {open}'x'{close} where name = 'none'")
        };
        let long = "x".repeat(70_000);
        let many = "(select pkid from enduser where userid = 'jdoe') || ".repeat(20);
        for statement in [
            "update device set description = 'x'; delete from enduserdevicemap".to_owned(),
            "update device set description = 'x';;update device set description = 'y'".to_owned(),
            "update device set description = 'x' where name = 'a' -- '\n; drop table device"
                .to_owned(),
            "update device set description = pg_sleep(10)".to_owned(),
            "update device set description = load_extension('x')".to_owned(),
            "update device set description = (select sip_secret from device)".to_owned(),
            "update device set description = (select hash from credential)".to_owned(),
            "update device set description = (select sql from sqlite_master)".to_owned(),
            "update device set description = current_user".to_owned(),
            "update device set description = (select 1 as 'a\" union select hash from credential \
             limit 1 offset 1 -- ')"
                .to_owned(),
            "update device set description = (select name from device \
             'd\" union select sip_secret from device -- ' limit 1)"
                .to_owned(),
            "update device set description = (select name from (select 1 as \"a\"\" from credential --\") d)"
                .to_owned(),
            "update device 'd\" union select hash from credential -- ' set description = 'x'".to_owned(),
            "update device as \"d\"\", credential\" set description = 'x'".to_owned(),
            "update device set description = d.' given 0' where name = (select first 1 name from device d)"
                .to_owned(),
            "delete from enduserdevicemap 'd\" union select hash from credential -- '".to_owned(),
            "insert into enduserdirgroupmap (fkenduser, 'fkdirgroup\" --') values ('x', 'y')".to_owned(),
            "insert into enduserdirgroupmap (fkenduser, fkdirgroup) \
             select pkid, pkid as 'a\" union select hash, hash from credential -- ' from enduser"
                .to_owned(),
            "insert into 'enduserdirgroupmap\"' (fkenduser) values ('x')".to_owned(),
            "update device set description = 'x' from enduser".to_owned(),
            "update device set description = 'x' returning pkid".to_owned(),
            "update or replace device set description = 'x'".to_owned(),
            "insert or ignore into enduserdirgroupmap (fkenduser) values ('x')".to_owned(),
            "with a as (delete from device) update device set description = 'x'".to_owned(),
            "delete from enduserdevicemap using device".to_owned(),
            format!("update device set description = '{long}'"),
            format!("update device set description = {many} 'x'"),
            nested("(", 5_000),
            nested("lower(", 60),
            "update device set description = '\0'".to_owned(),
        ] {
            let result = update(app, &statement).await;
            let statement: String = statement.chars().take(80).collect();
            assert!(result.is_err(), "{statement}: {result:?}");
        }
        let texts = rows(
            app,
            "select description from device where description <> ''",
        )
        .await;
        assert_eq!(texts, Vec::<String>::new());
        a_text_is_a_text(app).await;
    })
    .await;
}

/// Whatever stands in it.
async fn a_text_is_a_text(app: &App) {
    let statement = "update device set description = '''; delete from device; --' \
        where name = 'SEP000000000001'";
    assert_eq!(done(app, statement).await, 1);
    let phone = device(app, "SEP000000000001").await;
    assert_eq!(&*phone.description, "'; delete from device; --");
    let statement = "update device set description = 'x' \
        where name = 'none'' or ''1''=''1'";
    assert_eq!(done(app, statement).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_means_too_many_rows_changes_none() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let mut transaction = app.store.begin().await.unwrap();
        for number in 0..=ROWS_MAX {
            let mut phone = test.phone(&format!("SEP{number:012X}"), None);
            store::device::insert(transaction.connection(), &mut phone)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        let error = update(app, "update device set description = 'x'")
            .await
            .unwrap_err();
        assert_eq!(error, SqlError::TooManyRows(ROWS_MAX as u64 + 1));
        assert_eq!(error.number(), -1);
        let texts = "select count(*) from device where description <> ''";
        assert_eq!(rows(app, texts).await, ["0"]);
    })
    .await;
}

/// Many statements at once on the same devices, and the use case of the pages between them: every
/// one is done, or says that somebody was faster, and memory is as the database.
#[tokio::test(flavor = "multi_thread")]
async fn statements_at_the_same_time_do_not_lose_each_other() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        site(&test).await;
        let statements = (0..12).map(|number| {
            let app = app.clone();
            let order = if number % 2 == 0 { "in" } else { "not in" };
            let statement = format!(
                "update device set description = description || '{number},' \
                 where name {order} ('SEP000000000003')"
            );
            tokio::spawn(async move { update(&app, &statement).await })
        });
        for task in statements.collect::<Vec<_>>() {
            let rows = task.await.unwrap().unwrap();
            assert!((1..=2).contains(&rows));
        }
        for name in ["SEP000000000001", "SEP000000000002", "SEP000000000003"] {
            let phone = device(app, name).await;
            assert!(!phone.description.is_empty());
            assert_eq!(audited(app, "device", name).await, 6);
        }
    })
    .await;
}
