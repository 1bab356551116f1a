//! The devices that users control: who gets them by which use case, and how they are told in SQL.

use std::time::Duration;

use crate::common::PIN;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone_model;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::administration::NewSecret;
use selfprov::service::devices;
use selfprov::service::self_provisioning::release;
use selfprov::service::sql;
use selfprov::service::sql::SqlLimits;
use selfprov::service::users;
use selfprov::service::users::NewUser;
use selfprov::service::users::UserChange;
use selfprov::service::users::application_users;
use selfprov::service::users::application_users::ApplicationUserChange;
use selfprov::service::users::quick_add::QuickAdd;
use selfprov::service::users::quick_add::QuickPhone;
use selfprov::service::users::quick_add::quick_add;
use selfprov::store;

fn name(text: &str) -> DeviceName {
    text.parse().unwrap()
}

async fn of(test: &TestApp, user_id: &str) -> Vec<String> {
    let names = test.controlled_by(user_id).await;
    names.iter().map(ToString::to_string).collect()
}

/// The rows of a question in SQL, a comma between values.
async fn rows(app: &App, statement: &str) -> Vec<String> {
    let limits = SqlLimits {
        time: Duration::from_secs(20),
        bytes_max: 0,
    };
    let rows = sql::query(app, statement, limits).await.unwrap().rows;
    let line = |row: Vec<Option<String>>| {
        let values = row.into_iter().map(Option::unwrap_or_default);
        values.collect::<Vec<_>>().join(",")
    };
    rows.into_iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_are_set_as_a_whole_and_audited() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        for place in 1..=3 {
            test.add_phone(&format!("SEP00000000000{place}"), None)
                .await;
        }
        let set = async |names: &[&str]| {
            let names: Vec<DeviceName> = names.iter().map(|text| name(text)).collect();
            let change = UserChange {
                associated_devices: Some(names),
                ..UserChange::default()
            };
            users::update(app, &administrator(), "aksethi", &change).await
        };
        set(&["SEP000000000002", "SEP000000000001", "SEP000000000002"])
            .await
            .unwrap();
        assert_eq!(
            of(&test, "AKSETHI").await,
            ["SEP000000000001", "SEP000000000002"]
        );
        set(&["SEP000000000003", "SEP000000000002"]).await.unwrap();
        assert_eq!(
            of(&test, "aksethi").await,
            ["SEP000000000002", "SEP000000000003"]
        );

        let refused = set(&["SEP000000000001", "SEP0000000000FF"])
            .await
            .unwrap_err();
        assert!(refused.to_string().contains("SEP0000000000FF"), "{refused}");
        assert_eq!(
            of(&test, "aksethi").await,
            ["SEP000000000002", "SEP000000000003"]
        );

        // What is gone is controlled by nobody.
        devices::delete(app, &administrator(), &name("SEP000000000003"))
            .await
            .unwrap();
        assert_eq!(of(&test, "aksethi").await, ["SEP000000000002"]);
        users::remove(app, &administrator(), "aksethi")
            .await
            .unwrap();
        let mut reader = app.store.read().await.unwrap();
        let audit = store::history::audit_of(reader.connection(), "end_user", "aksethi", 10);
        let audit = audit.await.unwrap();
        let after = audit.iter().map(|row| row.after.as_str());
        let after: Vec<&str> = after.filter(|text| text.starts_with("controls")).collect();
        assert_eq!(
            after[..2],
            [
                "controls SEP000000000001, SEP000000000002",
                "controls SEP000000000002, SEP000000000003",
            ]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_provisions_a_phone_controls_it_until_it_is_released() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let phone = test.auto_register(9).await;
        assert_eq!(of(&test, "aksethi").await, Vec::<String>::new());
        let confirmation = test.log_in(&phone, "aksethi", PIN).await.unwrap();
        test.press_continue(&phone, &confirmation.token)
            .await
            .unwrap();
        assert_eq!(of(&test, "aksethi").await, [phone.name.to_string()]);
        release::by_administrator(&test.app, &phone.name, &administrator())
            .await
            .unwrap();
        assert_eq!(of(&test, "aksethi").await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_add_associates_the_phone_and_sql_tells_both_associations_by_name() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        let app = &test.app;
        let mut user = NewUser::new("jdoe".parse().unwrap());
        user.digest_credentials = Some(Secret::from("Digest-secret-1"));
        let quick = QuickAdd {
            user,
            feature_group_template: None,
            extension: None,
            phone: Some(QuickPhone {
                name: TestPhone::number(5).name,
                model: phone_model::by_number(622).unwrap(),
                template: None,
            }),
        };
        quick_add(app, &administrator(), &quick).await.unwrap();
        assert_eq!(of(&test, "jdoe").await, ["SEP000000000005"]);
        let user_id = "recorder".parse().unwrap();
        let new = ApplicationUserChange {
            password: Some(NewSecret {
                secret: Secret::from("correct-Horse-7"),
                must_change: false,
            }),
            ..ApplicationUserChange::default()
        };
        application_users::add(app, &administrator(), &user_id, &new)
            .await
            .unwrap();
        let names = [TestPhone::number(5).name];
        let change = ApplicationUserChange {
            associated_devices: Some(names.into()),
            ..ApplicationUserChange::default()
        };
        application_users::update(app, &administrator(), "recorder", &change)
            .await
            .unwrap();
        let statement = "select d.name, eu.userid, tua.name from enduserdevicemap eudm, \
            enduser eu, device d, typeuserassociation tua where eudm.fkenduser=eu.pkid \
            and eudm.fkdevice=d.pkid and eudm.tkuserassociation=tua.enum order by tua.enum";
        assert_eq!(
            rows(app, statement).await,
            [
                "SEP000000000005,jdoe,Cti Control In",
                "SEP000000000005,jdoe,Digest In",
            ]
        );
        let statement = "select au.name, d.name from applicationuserdevicemap m, \
            applicationuser au, device d where m.fkapplicationuser = au.pkid \
            and m.fkdevice = d.pkid and m.tkuserassociation = 1";
        assert_eq!(rows(app, statement).await, ["recorder,SEP000000000005"]);
    })
    .await;
}
