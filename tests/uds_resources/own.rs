//! What anybody may know, and what users see of themselves.

use selfprov::service::users::associated_devices;
use selfprov::service::users::associated_devices::Controller;

use crate::common::administrator;
use crate::common::for_each_database;
use crate::uds_resources::client::AKSETHI;
use crate::uds_resources::client::Node;
use crate::uds_resources::client::Uds;

/// Elements of `user`, in the order of recorded answers.
const USER: [&str; 29] = [
    "id",
    "userName",
    "firstName",
    "lastName",
    "middleName",
    "nickName",
    "displayName",
    "phoneNumber",
    "homeNumber",
    "mobileNumber",
    "mobileConnect",
    "remoteDestinationLimit",
    "userLocale",
    "email",
    "directoryUri",
    "msUri",
    "department",
    "manager",
    "title",
    "pager",
    "selfServiceId",
    "accountType",
    "homeCluster",
    "primaryExtension",
    "devices",
    "credentials",
    "extensions",
    "subscribedServices",
    "speedDials",
];

#[tokio::test(flavor = "multi_thread")]
async fn version_servers_and_models_need_no_login() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let answer = uds.ask("/version", &[]).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/xml"));
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(
            answer.header("expires"),
            Some("Thu, 01 Jan 1970 00:00:00 GMT")
        );
        assert_eq!(answer.header("server"), None);
        let version = Node::parse(&answer.body);
        assert_eq!(version.name(), "versionInformation");
        assert_eq!(version.attribute("uri"), uds.url("/version"));
        assert_eq!(version.attribute("version"), "15.0.1");
        assert_eq!(version.at("version").text(), "15.0.1");
        let needs_login = version.at("capabilities/usersResourceAuthEnabled");
        assert_eq!(needs_login.text(), "true");
        let own = env!("CARGO_PKG_VERSION");
        assert!(!answer.body.contains(own), "our version is nobody's matter");

        let servers = Node::parse(&uds.ask("/servers", &[]).await.body);
        assert_eq!(servers.attribute("version"), "15.0.1");
        assert_eq!(servers.names(), ["server"]);
        assert_eq!(servers.at("server").text(), "127.0.0.1");

        let models = Node::parse(&uds.ask("/options/models", &[]).await.body);
        let options = models.children();
        let option = options
            .iter()
            .find(|option| option.at("value").text() == "622");
        let option = option.unwrap();
        assert_eq!(option.at("name").text(), "Cisco 7841");
        assert_eq!(option.names(), ["value", "name", "userGuides"]);
        assert!(options.len() > 50);
        let head = uds.ask("/version", &["--head"]).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_needs_a_password_is_there_without_encryption() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let base = format!("http://{}/cucm-uds", uds.server.handset.http);
        for path in ["/version", "/user/aksethi", "/users"] {
            let url = format!("{base}{path}");
            let answer = uds.server.handset.run(&url, &["-u", "aksethi:x"]).await;
            assert_eq!(answer.status, 404, "{path}");
            assert_eq!(answer.header("www-authenticate"), None);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_reads_the_own_record() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        uds.keep("mobileNumber", "+49 170 <1>").await;
        let user = uds.read_as(AKSETHI, "/user/aksethi").await;
        assert_eq!(user.name(), "user");
        assert_eq!(user.attribute("uri"), uds.url("/user/aksethi"));
        assert_eq!(user.attribute("version"), "15.0.1");
        assert_eq!(user.names(), USER);
        for (name, text) in [
            ("id", uds.aksethi.pkid.to_string().as_str()),
            ("userName", "aksethi"),
            ("firstName", "akash"),
            ("lastName", "sethi"),
            ("displayName", "akash sethi"),
            ("mobileNumber", "+49 170 <1>"),
            ("mobileConnect", "false"),
            ("remoteDestinationLimit", "4"),
            ("selfServiceId", "1004"),
            ("homeCluster", "true"),
            ("primaryExtension/directoryNumber", "1004"),
        ] {
            assert_eq!(user.at(name).text(), text, "{name}");
        }
        let account = user.at("accountType");
        assert_eq!(
            (account.attribute("useLdapAuth"), account.text()),
            ("false", "local")
        );
        // A user may log in by the Self-Service User ID and in any case; the address names the user.
        let login = ("1004", AKSETHI.1);
        let same = uds.read_as(login, "/user/AkSethi/").await;
        assert_eq!(same, user);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_address_that_is_shown_leads_to_its_document() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let mut seen = Vec::new();
        let mut wanted = vec!["/user/aksethi".to_owned()];
        while let Some(path) = wanted.pop() {
            if seen.contains(&path) {
                continue;
            }
            let document = uds.read_as(AKSETHI, &path).await;
            assert_eq!(document.attribute("uri"), uds.url(&path));
            assert_eq!(document.attribute("version"), "15.0.1");
            let base = uds.url("");
            wanted.extend(
                document
                    .uris()
                    .into_iter()
                    .map(|uri| uri.strip_prefix(&base).unwrap().to_owned()),
            );
            seen.push(path);
        }
        // The user, the lists, the phone, its lists, and the number in both places.
        assert_eq!(seen.len(), 12, "{seen:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn phones_and_numbers_are_shown_as_they_are() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let devices = uds.read_as(AKSETHI, "/user/aksethi/devices").await;
        assert_eq!(devices.names(), ["device"]);
        let device = devices.at("device");
        assert_eq!(
            device.names(),
            ["id", "name", "type", "model", "description", "protocol"]
        );
        assert_eq!(device.at("id").text(), uds.phone.to_string());
        assert_eq!(device.at("name").text(), "SEP0011AABBCC01");
        assert_eq!(device.at("type").text(), "Phone");
        assert_eq!(device.at("model").text(), "Cisco 7841");
        assert_eq!(device.at("description").attribute("editable"), "true");
        assert_eq!(device.at("protocol").text(), "SIP");
        let path = format!("/user/aksethi/device/{}", uds.phone);
        let device = uds.read_as(AKSETHI, &path).await;
        assert_eq!(device.attribute("hasPrimaryNumber"), "true");

        let extensions = uds.read_as(AKSETHI, "/user/aksethi/extensions").await;
        assert_eq!(extensions.names(), ["extension"], "one line, one number");
        let extension = extensions.at("extension");
        assert_eq!(extension.attribute("isPrimary"), "true");
        assert_eq!(extension.at("directoryNumber").text(), "1004");
        let line = uds.aksethi.primary_extension.as_ref().unwrap().line;
        assert_eq!(extension.at("id").text(), line.to_string());
        let on_phone = uds
            .read_as(AKSETHI, &format!("{path}/extension/{line}"))
            .await;
        assert_eq!(on_phone.attribute("isPrimary"), "true");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_describes_the_own_phone_and_no_other() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let path = format!("/user/aksethi/device/{}", uds.phone);
        let body = "<device><description>Desk &#x27;A&#x27;</description></device>";
        let answer = uds.put_as(AKSETHI, &path, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let description = Node::parse(&answer.body).at("description");
        assert_eq!(description.text(), "Desk 'A'");
        let unchanged = uds.put_as(AKSETHI, &path, "<device/>").await;
        assert_eq!(
            Node::parse(&unchanged.body).at("description").text(),
            "Desk 'A'"
        );
        let emptied = uds
            .put_as(AKSETHI, &path, "<device><description/></device>")
            .await;
        assert_eq!(Node::parse(&emptied.body).at("description").text(), "");

        let before = uds.description_of("SEP0011AABBCC02");
        let others = format!("/user/aksethi/device/{}", uds.other_phone);
        assert_eq!(uds.put_as(AKSETHI, &others, body).await.status, 404);
        let others = format!("/user/alice/device/{}", uds.other_phone);
        assert_eq!(uds.put_as(AKSETHI, &others, body).await.status, 403);
        assert_eq!(uds.description_of("SEP0011AABBCC02"), before);
        let long = format!(
            "<device><description>{}</description></device>",
            "x".repeat(200)
        );
        assert_eq!(uds.put_as(AKSETHI, &path, &long).await.status, 400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_a_user_controls_is_shown_and_not_described() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let app = &uds.test().app;
        let mut transaction = app.store.begin().await.unwrap();
        let who = (Controller::EndUser(uds.aksethi.pkid), "aksethi");
        let name = "SEP0011AABBCC02".parse().unwrap();
        associated_devices::add(app, transaction.connection(), &administrator(), who, &name)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let devices = uds
            .read_as(AKSETHI, "/user/aksethi/devices")
            .await
            .children();
        let shown: Vec<(String, String)> = devices
            .iter()
            .map(|device| {
                let editable = device.at("description").attribute("editable").to_owned();
                (device.at("name").text().to_owned(), editable)
            })
            .collect();
        let expected = [("SEP0011AABBCC01", "true"), ("SEP0011AABBCC02", "false")];
        assert_eq!(shown, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let path = format!("/user/aksethi/device/{}", uds.other_phone);
        let body = "<device><description>mine</description></device>";
        assert_eq!(uds.put_as(AKSETHI, &path, body).await.status, 400);
        assert_eq!(uds.description_of("SEP0011AABBCC02"), "");
        let extensions = uds.read_as(AKSETHI, "/user/aksethi/extensions").await;
        assert_eq!(
            extensions.children().len(),
            1,
            "its number stays its owner's"
        );
    })
    .await;
}
