//! What a Universal Device Template and a Universal Line Template make of a phone and its line.

use std::sync::Arc;

use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::EndUser;
use crate::domain::line::Line;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::template::TagValues;
use crate::domain::template::TemplateText;
use crate::domain::template::TextField;
use crate::service::App;
use crate::service::keys::KeysError;

/// Random bytes of a phone's own SIP secret: 120 bits, as 30 hexadecimal digits, which is all that
/// `authPassword` holds.
const SIP_SECRET_BYTES: usize = 15;

/// What the tags of a template's texts are filled from.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The device name.
    pub device_name: &'a DeviceName,
    /// Model number, where it is known.
    pub model: Option<u32>,
    /// The user; none while nobody has claimed the phone.
    pub user: Option<&'a EndUser>,
    /// The number of the line.
    pub directory_number: &'a DirectoryNumber,
}

impl Subject<'_> {
    /// Fills a text field in.
    pub fn expand(&self, text: &str, field: TextField) -> String {
        let mac = self
            .device_name
            .mac()
            .map_or_else(String::new, |mac| mac.to_string());
        let product = self
            .model
            .and_then(phone_model::by_number)
            .map_or("", |model| model.product);
        let mut values = TagValues {
            directory_number: self.directory_number.as_str(),
            device_name: self.device_name.as_str(),
            mac_address: &mac,
            product,
            protocol: "SIP",
            ..TagValues::default()
        };
        if let Some(user) = self.user {
            let person = &user.person;
            values.first_name = &person.first_name;
            values.middle_name = &person.middle_name;
            values.last_name = &person.last_name;
            values.user_id = user.user_id.as_str();
            values.email = &person.mail;
            values.department = &person.department;
            values.title = &person.title;
            values.primary_extension = user
                .primary_extension
                .as_ref()
                .map_or("", |extension| extension.pattern.as_str());
        }
        // A stored text was read when it was saved; one that an older program saved is kept as it is.
        TemplateText::parse(text).map_or_else(
            |_| text.to_owned(),
            |template| template.expand(&values, field),
        )
    }
}

/// What a new phone is made from.
#[derive(Debug, Clone, Copy)]
pub struct Mould<'a> {
    /// What the tags are filled from.
    pub subject: Subject<'a>,
    /// Whether it waits to be claimed.
    pub state: DeviceState,
    /// The template.
    pub device_template: &'a UniversalDeviceTemplate,
    /// Identity of its only line.
    pub line: &'a Line,
    /// The phone of the same name that it takes the place of.
    pub before: Option<&'a Phone>,
}

/// A fresh SIP secret for one phone.
pub fn fresh_sip_secret(app: &App) -> Secret {
    let bytes: [u8; SIP_SECRET_BYTES] = app.environment.random();
    let digits = bytes.iter().fold(String::new(), |mut digits, byte| {
        for nibble in [byte >> 4, byte & 15] {
            digits.extend(char::from_digit(u32::from(nibble), 16));
        }
        digits
    });
    Secret::new(digits)
}

/// Makes a phone: a new identity, a new version stamp, a secret of its own, one line. Where it
/// last registered from, or first fetched its file from, stays with the name.
///
/// # Errors
///
/// [`KeysError`] never in practice.
pub fn make_phone(app: &App, mould: &Mould) -> Result<Phone, KeysError> {
    let subject = &mould.subject;
    let template = mould.device_template;
    let secret = fresh_sip_secret(app);
    let expand = |text: &str, field| subject.expand(text, field);
    Ok(Phone {
        pkid: app.new_pkid(),
        ctiid: None,
        name: subject.device_name.clone(),
        state: mould.state,
        model: subject.model,
        description: expand(&template.device_description, TextField::DeviceDescription).into(),
        owner: subject.user.map(|user| user.pkid),
        digest: DigestIdentity {
            digest_user: None,
            sealed_secret: Some(app.keys.seal_secret(&secret)?),
        },
        version_stamp: app.new_pkid(),
        configuration: Arc::new(template.configuration.clone()),
        lines: Box::new([PhoneLine {
            index: 1,
            line: mould.line.pkid,
            pattern: mould.line.pattern.clone(),
            route_partition: mould.line.route_partition,
            contact_user: app.new_pkid(),
            ctiid: None,
            label: expand(&template.line_label, TextField::LineLabel).into(),
            display: expand(&template.display_caller_id, TextField::LineDisplay).into(),
            external_phone_number: template.external_phone_number.as_str().into(),
            max_number_of_calls: template.max_number_of_calls,
            busy_trigger: template.busy_trigger,
            answers_automatically: mould.line.settings.auto_answer.is_on(),
        }]),
        registered_address: mould.before.and_then(|phone| phone.registered_address),
        first_fetch_address: mould
            .before
            .and_then(|phone| phone.first_fetch_address.clone()),
        file_fetched_at: None,
        file_allowed_until: None,
        created_at: app.environment.now(),
        version: 1,
    })
}

/// Writes onto a line what the template sets; what it leaves empty stays as it is on the line.
/// Number and partition are the line's own.
pub fn apply_line_template(line: &mut Line, template: &UniversalLineTemplate, subject: &Subject) {
    let line = &mut line.settings;
    let texts = [
        (
            &mut line.description,
            &template.line_description,
            TextField::LineDescription,
        ),
        (
            &mut line.alerting_name,
            &template.alerting_name,
            TextField::AlertingName,
        ),
    ];
    for (text, tags, field) in texts {
        let expanded = subject.expand(tags, field);
        if !expanded.is_empty() {
            *text = expanded;
        }
    }
    let references: [(&mut Option<Pkid>, Option<Pkid>); 3] = [
        (
            &mut line.calling_search_space,
            template.calling_search_space,
        ),
        (&mut line.voice_mail_profile, template.voice_mail_profile),
        (
            &mut line.external_call_control_profile,
            template.external_call_control_profile,
        ),
    ];
    for (reference, set) in references {
        *reference = set.or(*reference);
    }
    line.urgent_priority |= template.urgent_priority;
    line.auto_answer = template.auto_answer;
}
