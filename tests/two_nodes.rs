//! What a node shows of phones that are registered at another node of the same database.

use std::time::Duration;

use crate::common::Database;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::for_each_database;
use crate::common::secret_of;
use selfprov::server::control;
use selfprov::server::control::protocol::Answer;
use selfprov::server::control::protocol::DeviceView;
use selfprov::service::App;

const MAC: &str = "0011AABBCC01";

/// From where a phone is registered and at which other node, as a node shows it.
async fn shown(app: &App) -> (Option<String>, Option<String>) {
    let name = format!("SEP{MAC}");
    let shown = match control::devices::show(app, &name).await.unwrap() {
        Answer::Device(device) => *device,
        other => panic!("{other:?}"),
    };
    let place = |device: &DeviceView| {
        let node = device.registered_at_node.clone();
        (device.registered_from.clone(), node)
    };
    // The list says the same.
    let page = control::protocol::Page {
        after: String::new(),
        limit: 10,
    };
    match control::devices::list(app, &page).await.unwrap() {
        Answer::Devices(devices) => assert_eq!(place(&devices[0]), place(&shown)),
        other => panic!("{other:?}"),
    }
    place(&shown)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_shows_at_which_other_node_a_phone_is_registered() {
    for_each_database(|database: Database| async move {
        let one = TestApp::start(&database).await;
        let clock = one.clock.clone();
        let two = TestApp::builder().clock(&clock).node_name("CM_node2");
        let two = TestServer::start_with(two.start(&database).await).await;
        let one = TestServer::start_with(one).await;
        let mut phone = SipPhone::udp(one.sip_udp, MAC).await;
        assert_eq!(phone.register(120).await.status(), 200);
        let from = Some(phone.local.to_string());
        let node_one = Some("CM_node1".to_owned());
        assert_eq!(shown(&one.test.app).await, (from.clone(), None));
        assert_eq!(shown(&two.test.app).await, (from, node_one));

        // It moves to a node that has read it from the database, with its own secret.
        let three = TestApp::builder().clock(&clock).node_name("CM_node3");
        let three = TestServer::start_with(three.start(&database).await).await;
        assert_eq!(shown(&three.test.app).await.1.as_deref(), Some("CM_node1"));
        let app = &one.test.app;
        let name = phone.name.parse().unwrap();
        let secret = secret_of(app, &name);
        let lines = app.phones.find(&name).unwrap().phone.lines.clone();
        let mut phone = SipPhone::udp(three.sip_udp, MAC).await;
        phone.boot();
        phone.number = lines[0].pattern.to_string();
        let user = phone.name.clone();
        let reply = phone.register_as(&user, &secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let from = Some(phone.local.to_string());
        assert_eq!(shown(&three.test.app).await, (from.clone(), None));
        // At node 1 what was registered there ends, and it says where the phone is.
        clock.advance(Duration::from_mins(1));
        assert_eq!(phone.register(120).await.status(), 200);
        clock.advance(Duration::from_secs(70));
        let node_three = Some("CM_node3".to_owned());
        assert_eq!(shown(app).await, (from, node_three));
    })
    .await;
}
