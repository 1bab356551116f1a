//! A password that was right and a session belong to the account, not to its user ID: whoever has
//! that next lets nobody else in. Over AXL and UDS, spoken by `curl`.

use crate::common::Axl;
use crate::common::axl_envelope;
use crate::common::for_each_database;

const OLD: &str = "Old-Kettle-123";
const NEW: &str = "New-Harbour-456";

/// An application user that may write over AXL.
fn program(user_id: &str, password: &str) -> (&'static str, String) {
    let groups = "<associatedGroups><userGroup><name>Standard AXL API Access</name></userGroup>\
                  </associatedGroups>";
    let elements = format!(
        "<appUser><userid>{user_id}</userid><password>{password}</password>{groups}</appUser>"
    );
    ("addAppUser", elements)
}

/// An end user that may read over AXL, and what is their own over UDS.
fn person(user_id: &str, password: &str) -> (&'static str, String) {
    let groups = [
        "Standard AXL Read Only API Access",
        "Standard CCM End Users",
    ]
    .map(|name| format!("<userGroup><name>{name}</name></userGroup>"))
    .concat();
    let elements = format!(
        "<user><userid>{user_id}</userid><lastName>{user_id}</lastName>\
         <password>{password}</password>\
         <associatedGroups>{groups}</associatedGroups></user>"
    );
    ("addUser", elements)
}

/// Somebody's login with a password: the answer's status and cookie.
async fn log_in(axl: &Axl, user_id: &str, password: &str) -> (u16, Option<String>) {
    let login = format!("{user_id}:{password}");
    let body = axl_envelope("<ns:getCCMVersion/>");
    let arguments = ["-u", &login, "--data-binary", &body];
    let answer = axl.request("/axl/", &arguments).await;
    let cookie = answer.header("set-cookie");
    let cookie = cookie.map(|cookie| cookie.split(';').next().unwrap().to_owned());
    (answer.status, cookie)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_had_the_user_id_before_gets_no_account_that_has_it_now() {
    let removed = |operation| (operation, "<userid>prog</userid>".to_owned());
    let renamed = |operation| {
        let elements = "<userid>prog</userid><newUserid>prog2</newUserid>";
        (operation, elements.to_owned())
    };
    let (first_program, first_person) = (program("prog", OLD), person("prog", OLD));
    let (next_program, next_person) = (program("prog", NEW), person("prog", NEW));
    let cases = [
        (&first_program, removed("removeAppUser"), &next_program),
        (&first_program, removed("removeAppUser"), &next_person),
        (&first_person, removed("removeUser"), &next_person),
        (&first_person, removed("removeUser"), &next_program),
        (&first_program, renamed("updateAppUser"), &next_program),
        (&first_person, renamed("updateUser"), &next_program),
    ];
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (first, parting, next) in &cases {
            let case = format!("{} {} {}", first.0, parting.0, next.0);
            axl.succeed("14.0", first.0, &first.1).await;
            let (status, cookie) = log_in(&axl, "prog", OLD).await;
            assert_eq!(status, 200, "{case}");
            let cookie = format!("Cookie: {}", cookie.unwrap());

            axl.succeed("14.0", parting.0, &parting.1).await;
            axl.succeed("14.0", next.0, &next.1).await;
            assert_eq!(log_in(&axl, "prog", NEW).await.0, 200, "{case}");
            let body = axl_envelope("<ns:getCCMVersion/>");
            let with_cookie = ["-H", &cookie, "--data-binary", &body];
            let answer = axl.request("/axl/", &with_cookie).await;
            assert_eq!(answer.status, 401, "{case}: the session is over");
            let (status, cookie) = log_in(&axl, "prog", OLD).await;
            assert_eq!(
                (status, cookie),
                (401, None),
                "{case}: so is the old password"
            );

            for (operation, user_id) in [
                (next.0.replace("add", "remove"), "prog"),
                (first.0.replace("add", "remove"), "prog2"),
            ] {
                if user_id == "prog" || parting.0.starts_with("update") {
                    let elements = format!("<userid>{user_id}</userid>");
                    axl.succeed("14.0", &operation, &elements).await;
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_person_of_a_user_id_is_not_shown_to_the_one_before() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let own = async |password: &str| {
            let login = format!("jo:{password}");
            let path = "/cucm-uds/user/jo";
            axl.request(path, &["-u", &login]).await.status
        };
        let (add, first) = person("jo", OLD);
        axl.succeed("14.0", add, &first).await;
        assert_eq!(own(OLD).await, 200);
        axl.succeed("14.0", "removeUser", "<userid>jo</userid>")
            .await;
        let (add, next) = person("jo", NEW);
        axl.succeed("14.0", add, &next).await;
        assert_eq!(own(NEW).await, 200);
        assert_eq!(own(OLD).await, 401);
    })
    .await;
}
