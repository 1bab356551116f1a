//! The phone and the line that a node's templates make of an unknown phone.

use std::net::IpAddr;

use crate::domain::binding::Binding;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::line::Line;
use crate::domain::line::LineSettings;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::devices::phone_from_template::Mould;
use crate::service::devices::phone_from_template::Subject;
use crate::service::devices::phone_from_template::apply_line_template;
use crate::service::devices::phone_from_template::make_phone;
use crate::store::StoreError;

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
    /// [`StoreError::Lost`] never in practice: the secret can always be sealed.
    pub(in crate::service) fn make(
        &self,
        app: &App,
        unclaimed: &Unclaimed<'_>,
        number: &DirectoryNumber,
    ) -> Result<(Phone, Line), StoreError> {
        let subject = Subject {
            device_name: unclaimed.name,
            model: unclaimed.model,
            user: None,
            directory_number: number,
        };
        let mut line = self.bare_line(app, number);
        apply_line_template(&mut line, self.line, &subject);
        let mould = Mould {
            subject,
            state: DeviceState::AutoRegistered,
            device_template: self.device,
            line: &line,
            before: None,
        };
        let mut phone = make_phone(app, &mould).map_err(|_| StoreError::Lost)?;
        phone.registered_address = unclaimed.registered_address;
        // Templates that name only a user have nothing to say of a phone that has none yet.
        let auto = format!("Auto {number}");
        let says_nothing = |text: &str| !text.chars().any(char::is_alphanumeric);
        if says_nothing(&phone.description) {
            phone.description = auto.as_str().into();
        }
        if says_nothing(&line.settings.description) {
            line.settings.description = auto;
        }
        for line in &mut phone.lines {
            if says_nothing(&line.label) {
                line.label = number.as_str().into();
            }
        }
        Ok((phone, line))
    }

    fn bare_line(&self, app: &App, number: &DirectoryNumber) -> Line {
        Line {
            pkid: app.new_pkid(),
            pattern: number.clone(),
            route_partition: self.route_partition,
            settings: LineSettings::default(),
            auto_registered: true,
            version: 1,
        }
    }
}
