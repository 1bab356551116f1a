//! Templates, profiles and auto-registration blocks: what is refused, warned about, protected.

use crate::common::ManualClock;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::catalogue::CallManager;
use selfprov::domain::catalogue::Catalogue;
use selfprov::domain::catalogue::FeatureGroupTemplate;
use selfprov::domain::catalogue::Identity;
use selfprov::domain::catalogue::UniversalDeviceTemplate;
use selfprov::domain::catalogue::UniversalLineTemplate;
use selfprov::domain::catalogue::UserProfile;
use selfprov::domain::fresh_system;
use selfprov::domain::phone::ServiceUrl;
use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::service::App;
use selfprov::service::administration::AdministrationError;
use selfprov::service::self_provisioning;
use selfprov::service::templates;
use selfprov::service::templates::NodeExtras;
use selfprov::store;

fn sample(catalogue: &Catalogue) -> UniversalDeviceTemplate {
    let mut templates = catalogue.universal_device_templates.values();
    templates
        .find(|template| template.identity.name == fresh_system::SAMPLE_DEVICE_TEMPLATE)
        .unwrap()
        .clone()
}

fn profile(catalogue: &Catalogue, name: &str) -> UserProfile {
    let mut profiles = catalogue.user_profiles.values();
    profiles
        .find(|profile| profile.identity.name == name)
        .unwrap()
        .clone()
}

fn node(app: &App) -> CallManager {
    app.catalogue.load().call_managers[&app.node.pkid].clone()
}

/// The field that was refused.
fn refused_field<T: std::fmt::Debug>(outcome: Result<T, AdministrationError>) -> &'static str {
    match outcome.unwrap_err() {
        AdministrationError::Invalid { field, .. } | AdministrationError::Taken { field, .. } => {
            field
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn an_unknown_tag_a_bad_url_and_contradicting_numbers_are_refused_when_saved() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let good = sample(&app.catalogue.load());
        let save = async |change: fn(&mut UniversalDeviceTemplate)| {
            let mut template = good.clone();
            change(&mut template);
            templates::save(app, &actor, &template, None).await
        };
        let unknown = save(|t| t.device_description = "Phone of #Nobody#".to_owned()).await;
        assert!(
            unknown
                .as_ref()
                .unwrap_err()
                .to_string()
                .contains("#Nobody#")
        );
        assert_eq!(refused_field(unknown), "Device Description");
        let label = save(|t| t.line_label = "#FN".to_owned()).await;
        assert_eq!(refused_field(label), "Line Label");
        let busy = save(|t| t.busy_trigger = t.max_number_of_calls + 1).await;
        assert_eq!(refused_field(busy), "Busy Trigger");
        let mask = save(|t| t.external_phone_number = "12a".to_owned()).await;
        assert_eq!(refused_field(mask), "External Phone Number Mask");
        let name = save(|t| t.identity.name = "<b>".to_owned()).await;
        assert_eq!(refused_field(name), "name");
        let url = save(|t| {
            t.configuration.service_urls = vec![ServiceUrl {
                name: "directory".into(),
                url: "http://a b".into(),
            }];
        })
        .await;
        assert_eq!(refused_field(url), "service URL");
        let taken =
            save(|t| t.identity.name = fresh_system::AUTO_REGISTRATION_TEMPLATE.to_owned()).await;
        assert_eq!(refused_field(taken), "the name");
        assert_eq!(sample(&app.catalogue.load()), good);
    })
    .await;
}

#[tokio::test]
async fn a_saved_template_is_in_memory_at_once_and_an_old_version_is_refused() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let before = sample(&app.catalogue.load());
        let mut template = before.clone();
        template.device_description = "#FN# at #EXT#".to_owned();
        template.configuration.service_urls = vec![ServiceUrl {
            name: "directory".into(),
            url: "http://dir.example/".into(),
        }];
        let saved = templates::save(app, &actor, &template, None).await.unwrap();
        assert_eq!(saved.pkid, before.identity.pkid);
        let after = sample(&app.catalogue.load());
        assert_eq!(after.identity.version, before.identity.version + 1);
        assert_eq!(after.device_description, "#FN# at #EXT#");
        assert_eq!(after.configuration, template.configuration);
        let late = templates::save(app, &actor, &template, None).await;
        assert!(matches!(late, Err(AdministrationError::Changed(_))));
        // A copy under another name is a new template with its own URLs.
        let copy = UniversalDeviceTemplate {
            identity: Identity::of_new("Copy".to_owned()),
            ..after.clone()
        };
        let copied = templates::save(app, &actor, &copy, None).await.unwrap();
        assert_ne!(copied.pkid, after.identity.pkid);
        let catalogue = app.catalogue.load();
        assert_eq!(
            catalogue.universal_device_templates[&copied.pkid].configuration,
            after.configuration
        );
    })
    .await;
}

#[tokio::test]
async fn of_two_changes_of_one_template_at_once_one_is_refused() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let before = sample(&app.catalogue.load());
        let save = async |label: &str| {
            let template = UniversalDeviceTemplate {
                line_label: label.to_owned(),
                ..before.clone()
            };
            templates::save(app, &actor, &template, None).await
        };
        let (one, two) = tokio::join!(save("one"), save("two"));
        assert_ne!(one.is_ok(), two.is_ok());
        let refused = one.err().or(two.err()).unwrap();
        assert!(
            matches!(refused, AdministrationError::Changed(_)),
            "{refused}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_profile_whose_template_opens_the_login_is_saved_with_a_warning() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let catalogue = app.catalogue.load_full();
        let mut selfpro = profile(&catalogue, "selfpro");
        selfpro.desk_phones = node(app).auto_registration.universal_device_template;
        let saved = templates::save(app, &actor, &selfpro, None).await.unwrap();
        assert_eq!(saved.warnings.len(), 1, "{:?}", saved.warnings);
        assert!(saved.warnings[0].contains(fresh_system::AUTO_REGISTRATION_TEMPLATE));
        // The other way round: the template that a profile has gets the idle URL.
        let mut template = sample(&catalogue);
        template.configuration.service_urls = vec![ServiceUrl {
            name: "secureIdleUrl".into(),
            url: "https://any.example//cucm-uds/private/%73elfProvision".into(),
        }];
        let saved = templates::save(app, &actor, &template, None).await.unwrap();
        assert!(!saved.warnings.is_empty());
        let mut none = profile(&app.catalogue.load(), "selfpro");
        none.desk_phones = None;
        none.universal_line_template = None;
        none.limit_provision = 0;
        let saved = templates::save(app, &actor, &none, None).await.unwrap();
        assert!(saved.warnings.len() >= 3, "{:?}", saved.warnings);
    })
    .await;
}

#[tokio::test]
async fn the_phone_limit_is_0_to_20() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        for (limit, good) in [(0, true), (20, true), (21, false), (255, false)] {
            let mut selfpro = profile(&app.catalogue.load(), "selfpro");
            selfpro.limit_provision = limit;
            let saved = templates::save(app, &actor, &selfpro, None).await;
            assert_eq!(saved.is_ok(), good, "{limit}");
        }
    })
    .await;
}

#[tokio::test]
async fn there_is_always_exactly_one_default_profile() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let standard = profile(&app.catalogue.load(), fresh_system::STANDARD_USER_PROFILE);
        let mut without = standard.clone();
        without.is_default = false;
        let refused = templates::save(app, &actor, &without, None).await;
        assert_eq!(refused_field(refused), "system default");
        let refused = templates::delete::<UserProfile>(app, &actor, standard.identity.pkid).await;
        assert_eq!(refused_field(refused), "system default");
        // Many new defaults at once: the last one to commit has the mark alone.
        let save = async |name: &str| {
            let new = UserProfile {
                identity: Identity::of_new(name.to_owned()),
                is_default: true,
                ..standard.clone()
            };
            templates::save(app, &actor, &new, None).await.unwrap()
        };
        tokio::join!(save("a"), save("b"), save("c"), save("d"));
        app.reread_configuration().await.unwrap();
        let catalogue = app.catalogue.load();
        let defaults = catalogue.user_profiles.values().filter(|p| p.is_default);
        assert_eq!(defaults.count(), 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_in_use_is_not_removed_and_its_users_are_named() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let catalogue = app.catalogue.load_full();
        let selfpro = profile(&catalogue, "selfpro");
        let (device, line) = (
            sample(&catalogue).identity.pkid,
            selfpro.universal_line_template.unwrap(),
        );
        for (refused, user) in [
            (
                templates::delete::<UniversalDeviceTemplate>(app, &actor, device).await,
                "User Profile selfpro",
            ),
            (
                templates::delete::<UniversalLineTemplate>(app, &actor, line).await,
                "Cisco Unified CM CM_node1",
            ),
            (
                templates::delete::<UserProfile>(app, &actor, selfpro.identity.pkid).await,
                "End User aksethi",
            ),
        ] {
            let refused = refused.unwrap_err();
            assert!(matches!(refused, AdministrationError::InUse { .. }));
            assert!(refused.to_string().contains(user), "{refused}");
        }
        let template = catalogue.feature_group_templates.values().next().unwrap();
        let delete =
            || templates::delete::<FeatureGroupTemplate>(app, &actor, template.identity.pkid);
        delete().await.unwrap();
        let again = delete().await;
        assert!(matches!(again, Err(AdministrationError::NotFound { .. })));
    })
    .await;
}

#[tokio::test]
async fn an_auto_registration_block_that_cannot_work_is_refused_or_warned_about() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let save = async |change: fn(&mut CallManager)| {
            let mut node = node(app);
            change(&mut node);
            templates::save_call_manager(app, &actor, &node, NodeExtras::default()).await
        };
        let backwards = save(|n| n.auto_registration.end_dn = "0999".parse().unwrap()).await;
        assert_eq!(refused_field(backwards), "Ending Directory Number");
        let none = save(|n| n.auto_registration.universal_line_template = None).await;
        assert_eq!(refused_field(none), "Universal Line Template");
        let model = save(|n| n.auto_registration.models_allowed = vec![1]).await;
        assert_eq!(refused_field(model), "models allowed");
        let name = save(|n| n.name = "other".to_owned()).await;
        assert_eq!(refused_field(name), "name");
        let single = save(|n| {
            n.auto_registration.end_dn = n.auto_registration.start_dn.clone();
            n.auto_registration.enabled_until = Some(ManualClock::START);
        })
        .await
        .unwrap();
        assert_eq!(single.warnings.len(), 2, "{:?}", single.warnings);
        let wide = save(|n| n.auto_registration.end_dn = "1999".parse().unwrap())
            .await
            .unwrap();
        assert_eq!(wide.warnings.len(), 1);
        assert_eq!(node(app).auto_registration.end_dn.as_str(), "1999");
    })
    .await;
}

#[tokio::test]
async fn the_last_number_given_stays_while_the_range_does() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let given = "1234".parse().unwrap();
        let last = async || {
            let mut reader = app.store.read().await.unwrap();
            let node = app.node.pkid;
            store::auto_registration::last_given(reader.connection(), node)
                .await
                .unwrap()
        };
        // The page was read before the number was given.
        let mut page = node(app);
        let mut transaction = app.store.begin().await.unwrap();
        let connection = transaction.connection();
        store::auto_registration::set_last_given(connection, app.node.pkid, &given)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        page.description = "new".to_owned();
        templates::save_call_manager(app, &actor, &page, NodeExtras::default())
            .await
            .unwrap();
        assert_eq!(last().await, Some(given));
        let mut page = node(app);
        page.auto_registration.start_dn = "1100".parse().unwrap();
        templates::save_call_manager(app, &actor, &page, NodeExtras::default())
            .await
            .unwrap();
        assert_eq!(last().await, None);
    })
    .await;
}

#[tokio::test]
async fn no_authentication_is_warned_about_and_audited_and_the_code_is_hashed() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let (app, actor) = (&test.app, administrator());
        let mode = AuthenticationMode::NotRequired;
        let warnings = self_provisioning::settings::set_mode(app, &actor, mode)
            .await
            .unwrap();
        assert_eq!(
            warnings,
            [self_provisioning::settings::NOT_REQUIRED_WARNING]
        );
        assert_eq!(app.self_provisioning.load().mode, mode);
        let mode = AuthenticationMode::UsersAndAdministrators;
        let warnings = self_provisioning::settings::set_mode(app, &actor, mode)
            .await
            .unwrap();
        assert!(warnings[0].contains("no authentication code"));
        let code = Secret::from("4711081547");
        let set = async |code: Option<&Secret>, short| {
            self_provisioning::settings::set_authentication_code(app, &actor, code, short).await
        };
        let short = Secret::from("4711");
        assert_eq!(
            refused_field(set(Some(&short), false).await),
            "Authentication Code"
        );
        set(Some(&short), true).await.unwrap();
        set(Some(&code), false).await.unwrap();
        let settings = app.self_provisioning.load_full();
        assert!(settings.code_for(&code).is_some());
        assert!(self_provisioning::settings::warnings(&settings).is_empty());
        set(None, false).await.unwrap();
        assert!(app.self_provisioning.load().code_for(&code).is_none());
        let mut reader = app.store.read().await.unwrap();
        let kind = "self_provisioning";
        for name in ["authentication mode", "authentication code"] {
            let rows = store::history::audit_of(reader.connection(), kind, name, 10)
                .await
                .unwrap();
            assert!(rows.len() >= 2);
            assert!(!format!("{rows:?}").contains("4711"));
        }
    })
    .await;
}
