//! Users over AXL: what a request says of them is there, on both databases.

use std::time::Duration;

use crate::common::Axl;
use crate::common::TestPhone;
use crate::common::for_each_database;
use crate::common::form_url;
use crate::common::post;

const NAME: &str = "SEP000000000007";

/// The content of an element of an answer.
fn inner<'a>(answer: &'a str, element: &str) -> &'a str {
    let (_, rest) = answer
        .split_once(&format!("<{element}>"))
        .unwrap_or_else(|| panic!("no {element} in {answer}"));
    rest.split_once(&format!("</{element}>")).unwrap().0
}

fn assert_contains(answer: &str, parts: &[&str]) {
    for part in parts {
        assert!(answer.contains(part), "{part} is not in {answer}");
    }
}

async fn log_in_on_handset(axl: &Axl, login: &str, pin: &str) -> String {
    let url = format!("{}?name={NAME}", axl.0.handset.https_url());
    let form = axl.0.handset.run(&url, &[]).await;
    let entry = format!("userid={login}&pin={pin}");
    let answer = axl
        .0
        .handset
        .run(&form_url(&form.body), &post(&entry))
        .await;
    answer.body
}

async fn start_with_phone(database: &crate::common::Database) -> Axl {
    let axl = Axl::start_on(database).await;
    let phone = TestPhone::number(7).at("127.0.0.1");
    axl.0
        .test
        .auto_register_model(&phone, Some(crate::common::CISCO_7841))
        .await;
    axl.0.test.add_line("1020").await;
    axl
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_is_added_and_provisions_a_phone_with_the_pin() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let add = "<user><firstName>Jane</firstName><lastName>Doe</lastName><userid>jdoe</userid>\
             <password>Voice-7-gateway</password><pin>927461</pin><mailid>jdoe@example.org</mailid>\
             <department>Sales</department><userLocale>English United States</userLocale>\
             <associatedDevices><device>SEP000000000007</device></associatedDevices>\
             <primaryExtension><pattern>1020</pattern><routePartitionName/></primaryExtension>\
             <associatedGroups><userGroup><name>standard CCM end users</name></userGroup>\
             </associatedGroups><enableCti>false</enableCti>\
             <digestCredentials>s3cret-digest</digestCredentials>\
             <presenceGroupName>Standard Presence group</presenceGroupName>\
             <telephoneNumber>+49 89 1020</telephoneNumber><title>Agent</title>\
             <homeCluster>true</homeCluster><userProfile>selfpro</userProfile></user>";
        let uuid = axl.succeed("12.5", "addUser", add).await;
        assert!(uuid.starts_with('{') && uuid.ends_with('}'), "{uuid}");

        let got = axl
            .succeed("12.5", "getUser", "<userid>JDOE</userid>")
            .await;
        assert!(got.starts_with(&format!(
            "<user uuid=\"{uuid}\"><firstName>Jane</firstName>"
        )));
        assert_contains(
            &got,
            &[
                "<password/>",
                "<pin/>",
                "<digestCredentials/>",
                "<mailid>jdoe@example.org</mailid>",
                "<department>Sales</department>",
                "<device>SEP000000000007</device>",
                "<pattern>1020</pattern><routePartitionName/>",
                "<name>Standard CCM End Users</name><userRoles><userRole>Standard CCM End Users",
                "<enableCti>false</enableCti>",
                "<telephoneNumber>+49 89 1020</telephoneNumber><title>Agent</title>",
                // The primary extension is the Self-Service User ID where none is said.
                "<selfService>1020</selfService>",
                ">selfpro</userProfile>",
                "<status>1</status>",
                "<pinCredUserMustChange>false</pinCredUserMustChange>",
                "<pinCredLockedByAdministrator>false</pinCredLockedByAdministrator>",
            ],
        );
        assert_contains(
            inner(&got, "pinCredentials"),
            &[">Default PIN Credential Policy<"],
        );
        for secret in ["927461", "s3cret", "argon2"] {
            assert!(!got.contains(secret), "{got}");
        }

        let screen = log_in_on_handset(&axl, "1020", "927461").await;
        assert!(
            screen.contains("jdoe") || screen.contains("Jane"),
            "{screen}"
        );
        let again = axl.refused("12.5", "addUser", add).await;
        assert_eq!(again.0, -239, "{}", again.1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_holds_on_the_handset_until_it_is_ended() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let set = async |inner: &str| {
            let update =
                format!("<userid>aksethi</userid><pinCredentials>{inner}</pinCredentials>");
            axl.succeed("14.0", "updateUser", &update).await
        };
        set("<pinCredLockedByAdministrator>true</pinCredLockedByAdministrator>").await;
        let get = "<userid>aksethi</userid><returnedTags><pinCredentials/></returnedTags>";
        let locked = "<pinCredLockedByAdministrator>true</pinCredLockedByAdministrator>";
        assert_contains(&axl.succeed("14.0", "getUser", get).await, &[locked]);
        let screen = log_in_on_handset(&axl, "aksethi", crate::common::PIN).await;
        assert!(!screen.contains("akash"), "{screen}");

        // A change of something else leaves the lock.
        let update = "<userid>aksethi</userid><department>d</department>";
        axl.succeed("14.0", "updateUser", update).await;
        set("<pinCredDoesNotExpire>true</pinCredDoesNotExpire>").await;
        assert_contains(&axl.succeed("14.0", "getUser", get).await, &[locked]);
        set(
            "<pinCredLockedByAdministrator>false</pinCredLockedByAdministrator>\
             <pinResetHackCount>true</pinResetHackCount>",
        )
        .await;
        assert_contains(
            &axl.succeed("14.0", "getUser", get).await,
            &[
                "<pinCredDoesNotExpire>true</pinCredDoesNotExpire>",
                "<pinCredLockedByAdministrator>false</pinCredLockedByAdministrator>",
            ],
        );
        axl.0.test.clock.advance(std::time::Duration::from_mins(1));
        let screen = log_in_on_handset(&axl, "aksethi", crate::common::PIN).await;
        assert!(
            screen.contains("akash") || screen.contains("aksethi"),
            "{screen}"
        );
    })
    .await;
}

/// What get gave of a user, as a script sends it back.
fn sent_back(got: &str) -> String {
    format!(
        "<userid>aksethi</userid><password/><pin/><digestCredentials/>{}",
        [
            "passwordCredentials",
            "pinCredentials",
            "associatedGroups",
            "primaryExtension",
            "associatedDevices"
        ]
        .map(|group| {
            let inner = inner(got, group);
            format!("<{group}>{inner}</{group}>")
        })
        .concat()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_changes_what_it_names_and_nothing_else() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let get = async || {
            axl.succeed("14.0", "getUser", "<userid>aksethi</userid>")
                .await
        };
        let before = get().await;
        axl.succeed("14.0", "updateUser", &sent_back(&before)).await;
        assert_eq!(
            get().await,
            before,
            "sending back what was read changes nothing"
        );

        let update = "<userid>aksethi</userid><newUserid>asethi</newUserid>\
            <displayName>Akash S.</displayName><primaryExtension><pattern>1020</pattern>\
            </primaryExtension><selfService>777</selfService><pin>50293846</pin>\
            <pinCredentials><pinCredUserMustChange>true</pinCredUserMustChange></pinCredentials>\
            <associatedGroups><userGroup><name>Help Desk</name></userGroup></associatedGroups>\
            <associatedDevices><device>SEP000000000007</device></associatedDevices>\
            <customUserFields><customUserField><name>a</name></customUserField></customUserFields>\
            <mobileNumber>0170</mobileNumber>";
        axl.succeed("14.0", "updateUser", update).await;
        let (code, message) = axl
            .refused("14.0", "getUser", "<userid>aksethi</userid>")
            .await;
        let not_found = "Item not valid: The specified User was not found";
        assert_eq!((code, message.as_str()), (5007, not_found));
        let got = axl
            .succeed("14.0", "getUser", "<userid>asethi</userid>")
            .await;
        assert_contains(
            &got,
            &[
                "<firstName>akash</firstName>",
                "<displayName>Akash S.</displayName>",
                "<pattern>1020</pattern>",
                "<selfService>777</selfService>",
                "<pinCredUserMustChange>true</pinCredUserMustChange>",
                "<name>Help Desk</name>",
                "<device>SEP000000000007</device>",
                "<customUserField><name>a</name>",
                "<mobileNumber>0170</mobileNumber>",
                ">selfpro</userProfile>",
            ],
        );
        assert!(!got.contains("Standard CCM End Users"), "{got}");
        let wipe = "<userid>asethi</userid><primaryExtension/><selfService/><associatedGroups/>\
            <associatedDevices/><userProfile/>";
        axl.succeed("14.0", "updateUser", wipe).await;
        let got = axl
            .succeed("14.0", "getUser", "<userid>asethi</userid>")
            .await;
        for gone in ["1020", "777", "Help Desk", "SEP000000000007", "selfpro"] {
            assert!(!got.contains(gone), "{gone} is still in {got}");
        }
    })
    .await;
}

/// Elements of a user that cannot be added; code and words of the fault.
const CANNOT_BE: &[(&str, i32, &str)] = &[
    ("<userid>x</userid><pin>12</pin>", 5000, "PIN: "),
    (
        "<userid>x</userid><pin>8k35</pin>",
        5000,
        "PIN: a PIN has 1 to 128 digits",
    ),
    (
        "<userid>x</userid><password>aaaaaaaaaa</password>",
        5000,
        "password: ",
    ),
    ("", 5000, "userid is missing"),
    (
        "<userid>x</userid><primaryExtension><pattern>4711</pattern></primaryExtension>",
        5007,
        "Item not valid: The specified Line was not found",
    ),
    (
        "<userid>x</userid><associatedGroups><userGroup><name>No such</name></userGroup>\
                 </associatedGroups>",
        5007,
        "associatedGroups is \"No such\"",
    ),
    (
        "<userid>x</userid><associatedGroups><userGroup><name>Help Desk</name><userRoles>\
                 <userRole>Standard AXL API Access</userRole></userRoles></userGroup>\
                 </associatedGroups>",
        5000,
        "Help Desk has no role",
    ),
    (
        "<userid>x</userid><associatedDevices><device>SEP0000000000FF</device>\
                 </associatedDevices>",
        5007,
        "SEP0000000000FF",
    ),
    (
        "<userid>x</userid><pinCredentials><pinCredUserMustChange>true\
                 </pinCredUserMustChange></pinCredentials>",
        5000,
        "there is no PIN",
    ),
    (
        "<userid>writer</userid>",
        -239,
        "the application user writer has it",
    ),
    (
        "<userid>x</userid><selfService>1004</selfService>",
        -239,
        "aksethi has it",
    ),
    (
        "<userid>x</userid><userProfile>none such</userProfile>",
        5007,
        "userProfile",
    ),
    ("<userid>x</userid><pinn>1</pinn>", 5000, "pinn"),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_a_sentence_that_says_why() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let user = |inner: &str| format!("<user><lastName>X</lastName>{inner}</user>");
        for (inner, code, expected) in CANNOT_BE {
            let (got, message) = axl.refused("12.5", "addUser", &user(inner)).await;
            assert!(
                got == *code && message.contains(expected),
                "{inner}: {got} {message}"
            );
        }
        let (code, message) = axl.refused("12.5", "getUser", "<userid>x</userid>").await;
        assert_eq!(code, 5007, "nothing was written: {message}");

        for (operation, code, expected) in [
            (
                "getUser",
                5007,
                "Item not valid: The specified User was not found",
            ),
            (
                "removeUser",
                5007,
                "Item not valid: The specified User was not found",
            ),
            ("updateUser", 5003, "User not found"),
        ] {
            // A Self-Service User ID is no user ID.
            let refused = axl
                .refused("12.5", operation, "<userid>1004</userid>")
                .await;
            assert_eq!(refused, (code, expected.to_owned()), "{operation}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_of_phones_is_not_removed() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let test = &axl.0.test;
        let phone = TestPhone::number(7).at("127.0.0.1");
        let shown = test
            .log_in(&phone, "aksethi", crate::common::PIN)
            .await
            .unwrap();
        test.press_continue(&phone, &shown.token).await.unwrap();
        let (code, message) = axl
            .refused("14.0", "removeUser", "<userid>aksethi</userid>")
            .await;
        assert_eq!(code, -692, "{message}");
        assert_contains(&message, &["Phone SEP000000000007", "change those first"]);
        test.sql("UPDATE device SET owner = NULL, digest_user = NULL")
            .await;
        axl.succeed("14.0", "removeUser", "<userid>aksethi</userid>")
            .await;
        let (code, _) = axl
            .refused("14.0", "getUser", "<userid>aksethi</userid>")
            .await;
        assert_eq!(code, 5007);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_found_by_name_user_id_and_department() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        for (user_id, first, last, department) in [
            ("b.one", "Bo", "One", "Sales"),
            ("B.two", "Bea", "Two", "Service"),
            ("c", "Cy", "One", ""),
        ] {
            let add = format!(
                "<user><firstName>{first}</firstName><lastName>{last}</lastName>\
                 <userid>{user_id}</userid><department>{department}</department></user>"
            );
            axl.succeed("10.5", "addUser", &add).await;
        }
        for (criteria, rest, expected) in [
            ("<userid>b%</userid>", "", "b.one B.two"),
            ("<userid>C</userid>", "", "c"),
            ("<userid>1004</userid>", "", ""),
            ("<lastName>one</lastName>", "", "b.one c"),
            (
                "<lastName>one</lastName><department>S%</department>",
                "",
                "b.one",
            ),
            ("<firstName>%e%</firstName>", "", "B.two"),
            (
                "<userid>%</userid>",
                "<skip>1</skip><first>2</first>",
                "b.one B.two",
            ),
            ("<userid>%</userid>", "<skip>4</skip><first>2</first>", ""),
        ] {
            let list = format!(
                "<searchCriteria>{criteria}</searchCriteria><returnedTags><userid/>\
                 <telephoneNumber/></returnedTags>{rest}"
            );
            let listed = axl.succeed("10.5", "listUser", &list).await;
            let found: Vec<&str> = listed
                .split("<userid>")
                .skip(1)
                .map(|rest| rest.split_once("</userid>").unwrap().0)
                .collect();
            assert_eq!(found.join(" "), expected, "{criteria}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_dialect_of_7_1_has_its_own_names() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let add = "<newUser><firstname>Jane</firstname><lastname>Doe</lastname><userid>jdoe</userid>\
             <password>Voice-7-gateway</password><pin>927461</pin>\
             <telephoneNumber>1020</telephoneNumber><associatedPC>pc1</associatedPC>\
             <enableCTI>false</enableCTI><primaryExtension><pattern>1020</pattern>\
             </primaryExtension></newUser>";
        axl.succeed("7.1", "addUser", add).await;
        let got = axl.succeed("7.1", "getUser", "<userid>jdoe</userid>").await;
        assert_contains(
            &got,
            &[
                "<firstname>Jane</firstname>",
                "<lastname>Doe</lastname>",
                "<telephoneNumber>1020</telephoneNumber>",
                "<associatedPC>pc1</associatedPC>",
                "<enableCTI>false</enableCTI>",
                "<pattern>1020</pattern>",
            ],
        );
        let update = "<userid>jdoe</userid><lastname>Roe</lastname>";
        axl.succeed("7.1", "updateUser", update).await;
        for (search, found) in [("ro%", 1), ("JDOE", 1), ("%", 2), ("x%", 0)] {
            let list = format!("<searchString>{search}</searchString>");
            let listed = axl.succeed("7.1", "listUserByName", &list).await;
            assert_eq!(listed.matches("<userid>").count(), found, "{search}: {listed}");
        }
        let list = "<searchString>%</searchString><skip>1</skip><first>1</first>";
        let listed = axl.succeed("7.1", "listUserByName", list).await;
        assert_contains(&listed, &["<lastname>Roe</lastname>"]);
        let (code, _) = axl.refused("8.5", "listUserByName", list).await;
        assert_eq!(code, 5001);
        // What 8.5 and later say of the same user.
        for version in ["8.5", "10.5", "12.5", "14.0"] {
            let got = axl.succeed(version, "getUser", "<userid>jdoe</userid>").await;
            assert_contains(&got, &["<lastName>Roe</lastName>", "<associatedPc>pc1</associatedPc>"]);
            let number = got.find("<telephoneNumber>").unwrap();
            let is_before_mail = number < got.find("<mailid").unwrap();
            assert_eq!(is_before_mail, version == "8.5", "{version}: {got}");
        }
        axl.succeed("7.1", "removeUser", "<userid>jdoe</userid>").await;
        let (code, _) = axl.refused("7.1", "getUser", "<userid>jdoe</userid>").await;
        assert_eq!(code, 5007);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_user_may_what_its_groups_say() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let add = "<appUser><userid>robot</userid><password>correct-Horse-7</password>\
            <presenceGroupName>Standard Presence group</presenceGroupName>\
            <acceptPresenceSubscription>true</acceptPresenceSubscription>\
            <associatedDevices><device>SEP000000000007</device></associatedDevices>\
            <associatedGroups><userGroup><name>Standard AXL API Access</name></userGroup>\
            </associatedGroups></appUser>";
        let uuid = axl.succeed("12.5", "addAppUser", add).await;
        let got = axl
            .succeed("12.5", "getAppUser", "<userid>Robot</userid>")
            .await;
        assert_contains(
            &got,
            &[
                &format!("<appUser uuid=\"{uuid}\"><userid>robot</userid><password/>"),
                "<acceptPresenceSubscription>true</acceptPresenceSubscription>",
                "<isStandard>false</isStandard>",
                "<device>SEP000000000007</device>",
                "<userRole>Standard AXL API Access</userRole>",
            ],
        );
        let body = crate::common::axl_envelope("<ns:getCCMVersion/>");
        let version = "CUCM:DB ver=12.5 getCCMVersion";
        assert_eq!(axl.call("robot", version, &body).await.status, 200);
        let update = "<userid>robot</userid><newUserid>robot2</newUserid><associatedGroups>\
            <userGroup><name>Help Desk</name></userGroup></associatedGroups>";
        axl.succeed("12.5", "updateAppUser", update).await;
        assert_eq!(axl.call("robot2", version, &body).await.status, 403);
        assert_eq!(axl.call("robot", version, &body).await.status, 401);
        let list = "<searchCriteria><userid>r%2</userid></searchCriteria><returnedTags><userid/>\
            </returnedTags>";
        let listed = axl.succeed("12.5", "listAppUser", list).await;
        assert_eq!(
            listed,
            format!("<appUser uuid=\"{uuid}\"><userid>robot2</userid></appUser>")
        );
        let taken = "<appUser><userid>AKSETHI</userid></appUser>";
        let (code, message) = axl.refused("12.5", "addAppUser", taken).await;
        assert!(
            code == -239 && message.contains("the end user aksethi"),
            "{message}"
        );
        axl.succeed("12.5", "removeAppUser", "<userid>robot2</userid>")
            .await;
        let (code, message) = axl
            .refused("12.5", "getAppUser", "<userid>robot2</userid>")
            .await;
        let not_found = "Item not valid: The specified AppUser was not found";
        assert_eq!((code, message.as_str()), (5007, not_found));
    })
    .await;
}

/// Operations on groups that are refused, and words of the fault.
const GROUPS_REFUSED: &[(&str, &str, &str)] = &[
    (
        "removeUserGroup",
        "<name>Standard CCM End Users</name>",
        "is a standard group and cannot be removed",
    ),
    (
        "updateUserGroup",
        "<name>Standard CCM End Users</name><newName>x</newName>",
        "is a standard group and keeps its name",
    ),
    (
        "addUserGroup",
        "<userGroup><name>standard ccm end users</name></userGroup>",
        "another has it",
    ),
    (
        "addUserGroup",
        "<userGroup><name>n</name><userRoles><userRole><roleName>Standard AXL API Access\
                 </roleName></userRole></userRoles></userGroup>",
        "n has no roles",
    ),
    (
        "addUserGroup",
        "<userGroup><name>n</name><members><member><userId>nobody-here</userId></member>\
                 </members></userGroup>",
        "The specified User was not found",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn groups_have_members_and_standard_ones_stay() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let add = "<userGroup><members><member><userId>aksethi</userId></member>\
            <member><userId>writer</userId></member></members><name>Sales</name></userGroup>";
        axl.succeed("12.5", "addUserGroup", add).await;
        let get = async |name: &str| {
            axl.succeed("12.5", "getUserGroup", &format!("<name>{name}</name>"))
                .await
        };
        assert_contains(
            &get("sales").await,
            &[
                "<userId>aksethi</userId>",
                "<userId>writer</userId>",
                "<name>Sales</name>",
            ],
        );
        let update = "<name>Sales</name><removeMembers><member><userId>writer</userId></member>\
            </removeMembers><newName>Sales 2</newName>";
        axl.succeed("12.5", "updateUserGroup", update).await;
        let got = get("Sales 2").await;
        assert!(got.contains("aksethi") && !got.contains("writer"), "{got}");
        let user = axl
            .succeed("12.5", "getUser", "<userid>aksethi</userid>")
            .await;
        assert_contains(&user, &["<name>Sales 2</name>"]);
        axl.succeed("12.5", "removeUserGroup", "<name>Sales 2</name>")
            .await;
        let user = axl
            .succeed("12.5", "getUser", "<userid>aksethi</userid>")
            .await;
        assert!(!user.contains("Sales"), "{user}");

        assert_contains(
            &get("Standard CCM End Users").await,
            &[
                "<userId>aksethi</userId>",
                "<roleName>Standard CCM End Users</roleName>",
            ],
        );
        for (operation, elements, expected) in GROUPS_REFUSED {
            let (_, message) = axl.refused("12.5", operation, elements).await;
            assert!(message.contains(expected), "{operation}: {message}");
        }
        let list = "<searchCriteria><name>%AXL%</name></searchCriteria><returnedTags><name/>\
            </returnedTags>";
        let listed = axl.succeed("12.5", "listUserGroup", list).await;
        assert_eq!(listed.matches("<name>").count(), 3, "{listed}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn new_users_get_the_default_policy_and_credential() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let key = "<credentialUser>End User</credentialUser><credentialType>PIN</credentialType>\
            <credPolicyName>Default PIN Credential Policy</credPolicyName>";
        let got = axl.succeed("14.0", "getCredentialPolicyDefault", key).await;
        assert_contains(
            &got,
            &[
                ">Default PIN Credential Policy</credPolicyName>",
                "<credUserMustChange>true</credUserMustChange>",
            ],
        );
        let short =
            format!("{key}<credentials>1</credentials><confirmCredentials>1</confirmCredentials>");
        let (_, message) = axl
            .refused("14.0", "updateCredentialPolicyDefault", &short)
            .await;
        assert!(message.contains("PIN: "), "{message}");
        let other = format!("{key}<credentials>50293846</credentials>");
        let (_, message) = axl
            .refused("14.0", "updateCredentialPolicyDefault", &other)
            .await;
        assert!(message.contains("confirmCredentials"), "{message}");
        let update = format!(
            "{key}<newCredPolicyName>Default Credential Policy</newCredPolicyName>\
             <credentials>50293846</credentials><confirmCredentials>50293846</confirmCredentials>\
             <credUserMustChange>false</credUserMustChange>"
        );
        axl.succeed("14.0", "updateCredentialPolicyDefault", &update)
            .await;
        let (code, _) = axl.refused("14.0", "getCredentialPolicyDefault", key).await;
        assert_eq!(code, 5007, "the key names the policy in force");

        let add = "<user><lastName>Doe</lastName><userid>jdoe</userid></user>";
        axl.succeed("14.0", "addUser", add).await;
        let got = axl
            .succeed("14.0", "getUser", "<userid>jdoe</userid>")
            .await;
        assert_contains(
            inner(&got, "pinCredentials"),
            &[">Default Credential Policy<"],
        );
        let ask = async |secret: &str| {
            let elements = format!("<userid>jdoe</userid>{secret}");
            let answer = axl.operation("14.0", "doAuthenticateUser", &elements).await;
            let (_, rest) = answer.body.split_once("<return>").unwrap();
            rest.split_once("</return>").unwrap().0.to_owned()
        };
        assert_eq!(
            ask("<pin>50293846</pin>").await,
            "<userAuthenticated>true</userAuthenticated><code>0</code>\
             <daysToExpiry>180</daysToExpiry><isWarningNeeded>false</isWarningNeeded>"
        );
        let update = "<userid>jdoe</userid><pinCredentials><pinCredUserMustChange>true\
            </pinCredUserMustChange><pinCredDoesNotExpire>true</pinCredDoesNotExpire>\
            </pinCredentials>";
        axl.succeed("14.0", "updateUser", update).await;
        assert_contains(
            &ask("<pin>50293846</pin>").await,
            &["<code>3</code><daysToExpiry>0</daysToExpiry>"],
        );
        assert_contains(
            &ask("<password>x</password>").await,
            &["<userAuthenticated>false</userAuthenticated><code>1</code>"],
        );
    })
    .await;
}

const DAY: Duration = Duration::from_hours(24);

/// What `doAuthenticateUser` says of a secret.
async fn verdict(axl: &Axl, user_id: &str, secret: &str) -> String {
    let elements = format!("<userid>{user_id}</userid>{secret}");
    let answer = axl.operation("14.0", "doAuthenticateUser", &elements).await;
    inner(&answer.body, "return").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn owners_are_warned_before_their_credential_expires() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let pin = format!("<pin>{}</pin>", crate::common::PIN);
        let ask = async || verdict(&axl, "aksethi", &pin).await;
        let right = |code: u8, days: u32, is_near: bool| {
            format!(
                "<userAuthenticated>true</userAuthenticated><code>{code}</code>\
                 <daysToExpiry>{days}</daysToExpiry><isWarningNeeded>{is_near}</isWarningNeeded>"
            )
        };
        let policy = "<name>Default PIN Credential Policy</name>\
            <credExpiresAfter>30</credExpiresAfter><expiryWarningDays>10</expiryWarningDays>";
        axl.succeed("14.0", "updateCredentialPolicy", policy).await;
        assert_eq!(ask().await, right(0, 30, false));
        let nearly = (DAY * 20).saturating_sub(Duration::from_secs(1));
        axl.0.test.clock.advance(nearly);
        assert_eq!(ask().await, right(0, 10, false));
        axl.0.test.clock.advance(Duration::from_secs(1));
        assert_eq!(ask().await, right(0, 10, true));
        axl.0.test.clock.advance(DAY * 9 + Duration::from_secs(1));
        assert_eq!(ask().await, right(0, 0, true));
        axl.0.test.clock.advance(DAY);
        assert_eq!(ask().await, right(3, 0, true), "it must be changed now");

        let update = "<userid>aksethi</userid><pinCredentials><pinCredDoesNotExpire>true\
            </pinCredDoesNotExpire></pinCredentials>";
        axl.succeed("14.0", "updateUser", update).await;
        assert_eq!(ask().await, right(0, 0, false), "it does not expire");
        let update = update.replace("true", "false");
        axl.succeed("14.0", "updateUser", &update).await;
        let never = policy.replace(">30<", ">0<");
        axl.succeed("14.0", "updateCredentialPolicy", &never).await;
        assert_eq!(
            ask().await,
            right(0, 0, false),
            "none of its policy expires"
        );
        let silent = policy.replace(">10<", ">0<");
        axl.succeed("14.0", "updateCredentialPolicy", &silent).await;
        assert_eq!(ask().await, right(3, 0, false), "nobody is to be warned");
        let password = format!("<password>{}</password>", crate::common::AXL_PASSWORD);
        assert_eq!(
            verdict(&axl, "writer", &password).await,
            right(0, 149, false)
        );
        let old = "<userid>writer</userid>".to_owned() + &password;
        let answer = axl.operation("10.5", "doAuthenticateUser", &old).await;
        assert!(!answer.body.contains("isWarningNeeded"), "{}", answer.body);
    })
    .await;
}

/// The row that a statement gives.
async fn row(axl: &Axl, sql: &str) -> String {
    let sql = format!("<sql>{sql}</sql>");
    axl.succeed("14.0", "executeSQLQuery", &sql).await
}

const TIMES: &str = "select c.timechanged, c.timeadminlockout from credential c, enduser u \
    where c.fkenduser = u.pkid and c.tkcredential = 4 and u.userid = 'aksethi'";

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_a_credential_are_told_in_answers_and_in_sql() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let get = async || {
            let got = axl
                .succeed("14.0", "getUser", "<userid>aksethi</userid>")
                .await;
            inner(&got, "pinCredentials").to_owned()
        };
        let update = async |inner: &str| {
            let update = format!("<userid>aksethi</userid>{inner}");
            axl.succeed("14.0", "updateUser", &update).await
        };
        let start = "<pinCredTimeChanged>November 21, 2026 12:00:00 UTC</pinCredTimeChanged>\
            <pinCredTimeAdminLockout/>";
        assert_contains(&get().await, &[start]);
        axl.0.test.clock.advance(DAY);
        update("<pin>50293846</pin>").await;
        let changed = "<pinCredTimeChanged>November 22, 2026 12:00:00 UTC</pinCredTimeChanged>";
        assert_contains(&get().await, &[changed]);
        axl.0.test.clock.advance(Duration::from_secs(61));
        update(
            "<pinCredentials><pinCredLockedByAdministrator>true</pinCredLockedByAdministrator>\
             </pinCredentials>",
        )
        .await;
        let locked = "<pinCredTimeAdminLockout>November 22, 2026 12:01:01 UTC\
            </pinCredTimeAdminLockout><pinCredLockedByAdministrator>true<";
        assert_contains(&get().await, &[changed, locked]);
        let second = crate::common::ManualClock::START.unix_s() + 86_400;
        assert_eq!(
            row(&axl, TIMES).await,
            format!(
                "<row><timechanged>{second}</timechanged><timeadminlockout>{}\
                 </timeadminlockout></row>",
                second + 61
            )
        );
        update(
            "<pinCredentials><pinCredLockedByAdministrator>false</pinCredLockedByAdministrator>\
             </pinCredentials>",
        )
        .await;
        let unlocked = "<pinCredTimeAdminLockout/><pinCredLockedByAdministrator>false<";
        assert_contains(&get().await, &[changed, unlocked]);
        // A lock that failures bring is not an administrator's.
        for _ in 0..3 {
            verdict(&axl, "aksethi", "<pin>111</pin>").await;
            axl.0.test.clock.advance(Duration::from_secs(10));
        }
        assert_contains(&get().await, &[unlocked]);
        let writer = axl
            .succeed("14.0", "getAppUser", "<userid>writer</userid>")
            .await;
        assert_contains(
            &writer,
            &["<pwdCredTimeChanged>November 21, 2026 12:00:00 UTC</pwdCredTimeChanged>"],
        );
        let sql = "select count(*) as n from credential c, applicationuser a \
                   where c.fkapplicationuser = a.pkid and c.tkcredential = 3";
        assert_eq!(row(&axl, sql).await, "<row><n>3</n></row>");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_only_administrators_change_is_kept_as_that() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let update = async |inner: &str| {
            let update = format!("<userid>aksethi</userid>{inner}");
            axl.succeed("14.0", "updateUser", &update).await
        };
        let only = "<pinCredentials><pinCredUserCantChange>true</pinCredUserCantChange>\
            </pinCredentials>";
        update(only).await;
        update("<pin>50293846</pin>").await;
        let got = axl
            .succeed("14.0", "getUser", "<userid>aksethi</userid>")
            .await;
        assert_contains(
            &got,
            &[
                "<pinCredUserCantChange>true</pinCredUserCantChange>",
                "<pwdCredUserCantChange>false</pwdCredUserCantChange>",
            ],
        );
        let both = "<userid>aksethi</userid><pinCredentials><pinCredUserMustChange>true\
            </pinCredUserMustChange></pinCredentials>";
        let (_, message) = axl.refused("14.0", "updateUser", both).await;
        assert!(message.contains("take one of the two back"), "{message}");
        let nobody = format!("<user><lastName>D</lastName><userid>jdoe</userid>{only}</user>");
        let (_, message) = axl.refused("14.0", "addUser", &nobody).await;
        assert!(message.contains("there is no PIN"), "{message}");

        let key = "<credentialUser>End User</credentialUser><credentialType>PIN</credentialType>\
            <credPolicyName>Default PIN Credential Policy</credPolicyName>";
        let default = format!(
            "{key}<credentials>50293846</credentials><confirmCredentials>50293846\
             </confirmCredentials><credUserCantChange>true</credUserCantChange>"
        );
        let (_, message) = axl
            .refused("14.0", "updateCredentialPolicyDefault", &default)
            .await;
        assert!(message.contains("take one of the two back"), "{message}");
        let default = default + "<credUserMustChange>false</credUserMustChange>";
        axl.succeed("14.0", "updateCredentialPolicyDefault", &default)
            .await;
        let add = "<user><lastName>Doe</lastName><userid>jdoe</userid></user>";
        axl.succeed("14.0", "addUser", add).await;
        let got = axl
            .succeed("14.0", "getUser", "<userid>jdoe</userid>")
            .await;
        assert_contains(
            &got,
            &["<pinCredUserCantChange>true</pinCredUserCantChange>"],
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_fold_letters_alike_on_both_databases() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (number, name) in [
            "Kim",
            "Stra\u{df}e",
            "\u{130}nci",
            "\u{212a}elvin",
            "O_Neil",
            "\u{c6}r\u{f8}",
            "Koc",
        ]
        .into_iter()
        .enumerate()
        {
            let add = format!(
                "<user><lastName>{name}</lastName><userid>u{number}</userid>\
                 <department>Sales &amp; \u{d6}ffentliches</department></user>"
            );
            axl.succeed("14.0", "addUser", &add).await;
        }
        for (criterion, pattern, found) in [
            ("lastName", "kIM", "u0"),
            ("lastName", "K%", "u0 u3 u6"),
            ("lastName", "%KELVIN", "u3"),
            ("lastName", "STRA\u{1e9e}E", "u1"),
            ("lastName", "%a\u{df}%", "u1"),
            ("lastName", "i\u{307}N%", "u2"),
            ("lastName", "inci", ""),
            ("lastName", "o_NEIL", "u4"),
            ("lastName", "o%il", "u4"),
            ("lastName", "o_ne%k", ""),
            ("lastName", "\u{e6}R\u{d8}", "u5"),
            ("lastName", "\\%", ""),
            ("department", "%& \u{f6}FF%", "u0 u1 u2 u3 u4 u5 u6"),
            ("userid", "U%", "u0 u1 u2 u3 u4 u5 u6"),
            ("userid", "%6", "u6"),
        ] {
            let pattern = quick_xml::escape::escape(pattern);
            let list = format!(
                "<searchCriteria><{criterion}>{pattern}</{criterion}></searchCriteria>\
                 <returnedTags><userid/></returnedTags>"
            );
            let listed = axl.succeed("14.0", "listUser", &list).await;
            let ids: Vec<&str> = listed
                .split("<userid>")
                .skip(1)
                .filter_map(|rest| Some(rest.split_once("</userid>")?.0))
                .collect();
            assert_eq!(ids.join(" "), found, "{criterion} {pattern}");
        }
        // A pattern that no database would take.
        let long = "%a".repeat(60_000);
        let list = format!(
            "<searchCriteria><lastName>{long}</lastName></searchCriteria>\
             <returnedTags><userid/></returnedTags>"
        );
        assert_eq!(axl.succeed("14.0", "listUser", &list).await, "");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_a_credential_are_sent_back_and_never_set() {
    for_each_database(async |database| {
        let axl = start_with_phone(&database).await;
        let update = async |inner: &str| {
            let update = format!("<userid>aksethi</userid>{inner}");
            axl.succeed("14.0", "updateUser", &update).await
        };
        let changed = "<pinCredTimeChanged>November 21, 2026 12:00:00 UTC</pinCredTimeChanged>";
        // What was read may be sent back, as strict clients read it as well; nothing else may.
        update(&format!("<pinCredentials>{changed}</pinCredentials>")).await;
        let misread = changed.replace("November 21, 2026 12:00:00 UTC", "false");
        update(&format!("<pinCredentials>{misread}</pinCredentials>")).await;
        let other = changed.replace("2026", "2027");
        let other = format!("<userid>aksethi</userid><pinCredentials>{other}</pinCredentials>");
        let (code, message) = axl.refused("14.0", "updateUser", &other).await;
        assert_eq!(code, 5000, "{message}");
        assert!(message.contains("pinCredTimeChanged"), "{message}");
        let new = format!(
            "<user><lastName>Doe</lastName><userid>jdoe</userid><pinCredentials>{changed}\
             </pinCredentials></user>"
        );
        let (code, _) = axl.refused("14.0", "addUser", &new).await;
        assert_eq!(code, 5000);
    })
    .await;
}
