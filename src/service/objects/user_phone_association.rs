//! *Quick User/Phone Add* as an object that can only be added: AXL's `addUserPhoneAssociation`.

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::line_of_number::number;
use super::phone::named_model;
use crate::domain::end_user::Person;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::StoredElements;
use crate::domain::schema::StoredValue;
use crate::domain::schema::Value;
use crate::domain::secret::Secret;
use crate::service::App;
use crate::service::administration::NewSecret;
use crate::service::devices::settings::DeviceSettings;
use crate::service::history::record::Actor;
use crate::service::users::NewUser;
use crate::service::users::quick_add;
use crate::service::users::quick_add::LineChoice;
use crate::service::users::quick_add::QuickAdd;
use crate::service::users::quick_add::QuickDetails;
use crate::service::users::quick_add::QuickExtension;
use crate::service::users::quick_add::QuickPhone;
use crate::store::Connection;

pub(super) struct UserPhoneAssociations;

#[async_trait]
impl Kind for UserPhoneAssociations {
    async fn read(
        &self,
        _: &App,
        _: &mut Connection,
        object: &'static ObjectType,
        _: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        Err(ObjectError::NotServed(object))
    }

    async fn list(
        &self,
        _: &App,
        _: &mut Connection,
        object: &'static ObjectType,
        _: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        Err(ObjectError::NotServed(object))
    }

    /// Gives the identity of the user.
    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let partition = draft.said_text("routePartitionName");
        let quick = QuickAdd {
            user: user(draft)?,
            feature_group_template: None,
            extension: Some(QuickExtension {
                pattern: number(&draft.text("extension"))?,
                route_partition: partition,
                choice: LineChoice::Either,
            }),
            phone: Some(QuickPhone {
                name: draft
                    .text("name")
                    .parse()
                    .map_err(|error| ObjectError::invalid("name", &error))?,
                model: named_model("productType", &draft.text("productType"))?,
                template: None,
            }),
        };
        let added = quick_add::quick_add_with(app, actor, &quick, &details(draft)).await?;
        Ok(added.user.pkid)
    }
}

fn user(draft: &Draft) -> Result<NewUser, ObjectError> {
    let user_id = draft.text("userId").parse();
    let secret = |element| {
        let secret: Option<&Secret> = match draft.record().get(element) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        };
        secret.map(|secret| NewSecret {
            secret: secret.clone(),
            must_change: false,
        })
    };
    Ok(NewUser {
        person: Person {
            first_name: draft.text("firstName"),
            middle_name: draft.text("middleName"),
            last_name: draft.text("lastName"),
            ..Person::default()
        },
        pin: secret("pin"),
        password: secret("password"),
        ..NewUser::new(user_id.map_err(|error| ObjectError::invalid("userId", &error))?)
    })
}

fn details(draft: &Draft) -> QuickDetails {
    let name = |element| Some(draft.text(element)).filter(|text| !text.is_empty());
    let text = |text: &str| StoredValue::Text(text.to_owned());
    let mut of_line = StoredElements::default();
    if let Some(uri) = name("DirectoryURI") {
        let entry = "directoryURIs/directoryUri[1]";
        of_line.replaced.push("directoryURIs");
        of_line.values = vec![
            (format!("{entry}/isPrimary"), text("true")),
            (format!("{entry}/uri"), text(&uri)),
        ];
        if let Some(partition) = draft.pkid("DirectoryNumberURIPartition") {
            let partition = StoredValue::Reference(partition);
            of_line
                .values
                .push((format!("{entry}/partition"), partition));
        }
    }
    let mut of_phone = StoredElements::default();
    if draft.flag("enableExtensionMobility") {
        let element = "enableExtensionMobility";
        of_phone.replaced.push(element);
        of_phone.values.push((element.to_owned(), text("true")));
    }
    QuickDetails {
        calling_search_space: draft.pkid("dnCssName"),
        voice_mail_profile: draft.pkid("voiceMailProfileName"),
        line_elements: of_line,
        device_settings: DeviceSettings {
            calling_search_space: name("phoneCssName").map(Some),
            ..DeviceSettings::default()
        },
        external_phone_number: name("e164Mask"),
        device_elements: of_phone,
    }
}
