//! The phone and the line that a node's templates make of an unknown phone.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::binding::Binding;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
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
use crate::store::StoreError;

/// Random bytes of a device's SIP secret: 24 characters in its file, of the 30 a phone reads.
const SECRET_BYTES: usize = 18;

/// The templates of a node's auto-registration block.
pub(in crate::service) struct Templates<'a> {
    device: &'a UniversalDeviceTemplate,
    line: &'a UniversalLineTemplate,
    route_partition: Pkid,
}

/// A phone that is to wait for its user.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct Unclaimed<'a> {
    pub(in crate::service) name: &'a DeviceName,
    pub(in crate::service) model: Option<u32>,
    pub(in crate::service) registered_address: Option<IpAddr>,
}

impl<'a> From<&'a Binding> for Unclaimed<'a> {
    fn from(binding: &'a Binding) -> Self {
        Self {
            name: &binding.device_name,
            model: binding.model,
            registered_address: Some(binding.address()),
        }
    }
}

impl<'a> Templates<'a> {
    /// `None` when the node names none, or one that is gone.
    pub(in crate::service) fn of(
        catalogue: &'a Catalogue,
        block: &AutoRegistration,
    ) -> Option<Self> {
        let device = block.universal_device_template?;
        let line = block.universal_line_template?;
        Some(Self {
            device: catalogue.universal_device_templates.get(&device)?,
            line: catalogue.universal_line_templates.get(&line)?,
            route_partition: block.route_partition,
        })
    }

    /// The device with its own random secret, and its line.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lost`] when the secret cannot be sealed, which never happens.
    pub(in crate::service) fn make(
        &self,
        app: &App,
        unclaimed: &Unclaimed<'_>,
        number: &DirectoryNumber,
    ) -> Result<(Phone, Line), StoreError> {
        let name = unclaimed.name;
        let mac = name.mac().map(|mac| mac.to_string()).unwrap_or_default();
        let model = unclaimed.model.and_then(phone_model::by_number);
        let values = TagValues {
            directory_number: number.as_str(),
            device_name: name.as_str(),
            mac_address: &mac,
            product: model.map_or("", |model| model.product),
            protocol: "SIP",
            ..TagValues::default()
        };
        let line = self.line(app, number, &values);
        let secret = Secret::new(URL_SAFE_NO_PAD.encode(app.environment.random::<SECRET_BYTES>()));
        let sealed = app
            .keys
            .seal_secret(&secret)
            .map_err(|_| StoreError::Lost)?;
        let auto = format!("Auto {number}");
        let description = expand(
            &self.device.device_description,
            &values,
            TextField::DeviceDescription,
            &auto,
        );
        let phone = Phone {
            pkid: app.new_pkid(),
            name: name.clone(),
            state: DeviceState::AutoRegistered,
            model: unclaimed.model,
            description,
            owner: None,
            digest: DigestIdentity {
                digest_user: None,
                user_name: name.as_str().into(),
                sealed_secret: Some(sealed),
            },
            version_stamp: app.new_pkid(),
            configuration: self.device.configuration.clone(),
            lines: vec![self.phone_line(app, &line, &values)],
            registered_address: unclaimed.registered_address,
            file_fetched_at: None,
            file_allowed_until: None,
            created_at: app.environment.now(),
            version: 1,
        };
        Ok((phone, line))
    }

    fn line(&self, app: &App, number: &DirectoryNumber, values: &TagValues<'_>) -> Line {
        let template = self.line;
        let auto = format!("Auto {number}");
        Line {
            pkid: app.new_pkid(),
            pattern: number.clone(),
            route_partition: self.route_partition,
            description: expand(
                &template.line_description,
                values,
                TextField::LineDescription,
                &auto,
            ),
            alerting_name: expand(&template.alerting_name, values, TextField::AlertingName, ""),
            calling_search_space: template.calling_search_space,
            voice_mail_profile: template.voice_mail_profile,
            external_call_control_profile: template.external_call_control_profile,
            urgent_priority: template.urgent_priority,
            auto_answer: template.auto_answer.clone(),
            auto_registered: true,
            version: 1,
        }
    }

    fn phone_line(&self, app: &App, line: &Line, values: &TagValues<'_>) -> PhoneLine {
        let template = self.device;
        let number = line.pattern.as_str();
        PhoneLine {
            index: 1,
            line: line.pkid,
            pattern: line.pattern.clone(),
            route_partition: line.route_partition,
            contact_user: app.new_pkid(),
            label: expand(&template.line_label, values, TextField::LineLabel, number),
            display: expand(
                &template.display_caller_id,
                values,
                TextField::LineDisplay,
                "",
            ),
            external_phone_number: template.external_phone_number.clone(),
            max_number_of_calls: template.max_number_of_calls,
            busy_trigger: template.busy_trigger,
            auto_answer: line.auto_answer.clone(),
        }
    }
}

/// The text with its tags replaced; `otherwise` when nothing is left, as with a template that
/// names only a user whom the phone does not have yet.
fn expand(text: &str, values: &TagValues<'_>, field: TextField, otherwise: &str) -> String {
    // A template is checked when it is saved; one that is not readable gives nothing.
    let expanded = TemplateText::parse(text)
        .map(|template| template.expand(values, field))
        .unwrap_or_default();
    let says_something = expanded.chars().any(char::is_alphanumeric);
    match says_something {
        true => expanded,
        false => otherwise.to_owned(),
    }
}
