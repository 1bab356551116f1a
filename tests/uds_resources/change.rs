//! What users change of themselves and of their phones, and what is kept for them.

use selfprov::service::devices;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::users::Extension;

use crate::common::Axl;
use crate::common::TestApp;
use crate::common::add_application_user;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::uds_resources::client::AKSETHI;
use crate::uds_resources::client::ALICE;
use crate::uds_resources::client::Node;
use crate::uds_resources::client::Uds;
use crate::uds_resources::client::code;

#[tokio::test(flavor = "multi_thread")]
async fn a_user_sets_the_language_and_sets_it_back() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let path = "/user/aksethi";
        let set = async |locale: &str| {
            let body = format!("<user><userLocale>{locale}</userLocale></user>");
            uds.put_as(AKSETHI, path, &body).await
        };
        let answer = set(" german_germany ").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let user = Node::parse(&answer.body);
        assert_eq!(user.at("userLocale").text(), "German Germany");
        assert_eq!(user.at("firstName").text(), "akash", "what is absent stays");
        let unchanged = uds.put_as(AKSETHI, path, "<user/>").await;
        assert_eq!(
            Node::parse(&unchanged.body).at("userLocale").text(),
            "German Germany"
        );
        let unknown = set("Klingon").await;
        assert_eq!(
            (unknown.status, code(&unknown).as_str()),
            (400, "BAD_REQUEST")
        );
        assert!(unknown.body.contains("userLocale"), "{}", unknown.body);
        // A name is the administrator's, and no call is forwarded here.
        for body in [
            "<user><firstName>Eve</firstName></user>",
            "<user><userLocale>German Germany</userLocale><selfServiceId>1</selfServiceId></user>",
            "<user><primaryExtension><callForwardAllDestination/></primaryExtension></user>",
            "<device/>",
        ] {
            let refused = uds.put_as(AKSETHI, path, body).await;
            assert_eq!(refused.status, 400, "{body}");
        }
        let emptied = set("").await;
        assert_eq!(Node::parse(&emptied.body).at("userLocale").text(), "");
        assert_eq!(
            uds.audited("end_user.update").await,
            ["user:aksethi aksethi", "user:aksethi aksethi"]
        );
        let others = uds.put_as(ALICE, path, "<user><userLocale/></user>").await;
        assert_eq!(others.status, 403);
    })
    .await;
}

/// Gives `aksethi` a second phone with the same number on line 1 and another one on line 2.
async fn add_second_phone(uds: &Uds) {
    uds.test().add_line("1020").await;
    let line = |number: &str| {
        DeviceLine::new(Extension {
            pattern: number.parse().unwrap(),
            route_partition: String::new(),
        })
    };
    let model = selfprov::domain::phone_model::by_product("Cisco 7841").unwrap();
    let new = NewDevice {
        lines: vec![line("1004"), line("1020")],
        owner: Some("aksethi".to_owned()),
        ..NewDevice::new("SEP0011AABBCC03".parse().unwrap(), model)
    };
    devices::add(&uds.test().app, &administrator(), &new)
        .await
        .unwrap();
}

/// The labels of a phone as its file has them.
fn labels(uds: &Uds, name: &str) -> Vec<String> {
    let known = uds.test().app.phones.find(&name.parse().unwrap()).unwrap();
    let lines = known.phone.lines.iter();
    lines.map(|line| line.label.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_labels_the_buttons_of_the_own_phones() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        add_second_phone(&uds).await;
        let before = labels(&uds, "SEP0011AABBCC03");
        let line = uds.aksethi.primary_extension.as_ref().unwrap().line;
        let everywhere = format!("/user/aksethi/extension/{line}");
        let body = "<extension><label>Me &amp; you</label></extension>";
        let answer = uds.put_as(AKSETHI, &everywhere, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let label = Node::parse(&answer.body).at("label");
        assert_eq!(label.text(), "Me & you");
        assert_eq!(label.attribute("appliesToAllLineAppearances"), "true");
        assert_eq!(labels(&uds, "SEP0011AABBCC01"), ["Me & you"]);
        let second = labels(&uds, "SEP0011AABBCC03");
        assert_eq!(second, ["Me & you", &before[1]], "the other line stays");
        assert_eq!(uds.audited("device.update").await.len(), 2);

        let here = format!("/user/aksethi/device/{}/extension/{line}", uds.phone);
        let answer = uds
            .put_as(AKSETHI, &here, "<extension><label>Desk</label></extension>")
            .await;
        assert_eq!(Node::parse(&answer.body).at("label").text(), "Desk");
        assert_eq!(labels(&uds, "SEP0011AABBCC01"), ["Desk"]);
        assert_eq!(labels(&uds, "SEP0011AABBCC03")[0], "Me & you");
        let both = uds.read_as(AKSETHI, &everywhere).await;
        let label = both.at("label");
        assert_eq!(label.attribute("appliesToAllLineAppearances"), "false");
        uds.put_as(AKSETHI, &everywhere, "<extension><label/></extension>")
            .await;
        assert_eq!(labels(&uds, "SEP0011AABBCC01"), [""]);

        // Somebody else's line, phone, and words that do not fit.
        let others = uds.alice.primary_extension.as_ref().unwrap().line;
        for (path, body, status) in [
            (format!("/user/aksethi/extension/{others}"), body, 404),
            (
                format!("/user/aksethi/device/{}/extension/{others}", uds.phone),
                body,
                404,
            ),
            (
                format!(
                    "/user/aksethi/device/{}/extension/{others}",
                    uds.other_phone
                ),
                body,
                404,
            ),
            (format!("/user/alice/extension/{others}"), body, 403),
            (
                everywhere.clone(),
                "<extension><directoryNumber>9</directoryNumber></extension>",
                400,
            ),
            (
                everywhere,
                &format!("<extension><label>{}</label></extension>", "x".repeat(51)),
                400,
            ),
        ] {
            let answer = uds.put_as(AKSETHI, &path, body).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.body);
        }
        assert_eq!(labels(&uds, "SEP0011AABBCC01"), [""]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speed_dials_and_services_are_those_that_are_kept() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        add_application_user(&test, "writer", "Standard AXL API Access", false).await;
        let uds = Uds::start_with(test).await;
        let device = format!("/user/aksethi/device/{}", uds.phone);
        for path in ["/user/aksethi", &device] {
            for (list, root) in [
                ("speedDials", "speedDials"),
                ("subscribedServices", "subscribedServices"),
            ] {
                let empty = uds.read_as(AKSETHI, &format!("{path}/{list}")).await;
                assert_eq!((empty.name(), empty.children().len()), (root, 0));
            }
        }
        let Uds {
            server,
            aksethi,
            alice,
            phone,
            other_phone,
        } = uds;
        let axl = Axl(server);
        let update = "<name>SEP0011AABBCC01</name><speeddials><speeddial><dirn>1005</dirn>\
            <label>Alice &amp; co</label><index>1</index></speeddial><speeddial>\
            <dirn>+498912</dirn><label>Shop</label><index>2</index></speeddial></speeddials>\
            <services><service><name>News</name><url>http://news.example/</url>\
            <urlLabel>News</urlLabel></service></services>";
        axl.succeed("14.0", "updatePhone", update).await;
        let uds = Uds {
            server: axl.0,
            aksethi,
            alice,
            phone,
            other_phone,
        };
        for path in ["/user/aksethi/speedDials", &format!("{device}/speedDials")] {
            let list = uds.read_as(AKSETHI, path).await;
            assert_eq!(list.attribute("uri"), uds.url(path));
            let shown: Vec<String> = list
                .children()
                .iter()
                .map(|one| {
                    assert_eq!(one.at("device").text(), "SEP0011AABBCC01");
                    assert_eq!(one.at("device").attribute("uri"), uds.url(&device));
                    let (index, label) = (one.at("index"), one.at("label"));
                    format!(
                        "{} {} {}",
                        index.text(),
                        label.text(),
                        one.at("number").text()
                    )
                })
                .collect();
            assert_eq!(shown, ["1 Alice & co 1005", "2 Shop +498912"]);
        }
        let services = uds
            .read_as(AKSETHI, "/user/aksethi/subscribedServices")
            .await;
        let service = services.at("subscribedService");
        assert_eq!(service.at("name").text(), "News");
        assert_eq!(service.at("url").text(), "http://news.example/");
        assert_eq!(service.at("label").text(), "News");

        let none = uds.read_as(ALICE, "/user/alice/speedDials").await;
        assert_eq!(none.children().len(), 0, "another's are another's");
        let theirs = format!("/user/alice/device/{}/speedDials", uds.phone);
        assert_eq!(uds.ask_as(ALICE, &theirs, &[]).await.status, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_have_elsewhere_and_not_here_is_said_to_be_missing() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        for (path, words) in [
            ("/user/aksethi/remoteDestinations", "no remote destinations"),
            ("/user/aksethi/conferencing", "no conferences"),
        ] {
            let answer = uds.ask_as(AKSETHI, path, &[]).await;
            assert_eq!((answer.status, code(&answer).as_str()), (404, "NOT_FOUND"));
            assert!(answer.body.contains(words), "{}", answer.body);
        }
    })
    .await;
}
