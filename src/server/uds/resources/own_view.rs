//! What a user has, as XML.

use std::collections::HashMap;

use jiff::Timestamp;

use super::Asked;
use super::answer::{self, Problem};
use super::resource::{Own, Resource};
use super::xml::Xml;
use crate::domain::phone::{Phone, PhoneLine};
use crate::domain::pkid::Pkid;
use crate::service::credentials::own_credentials::LoginHistory;
use crate::service::users::self_care::{Buttons, OwnExtension, SelfCare};

/// What a user has, on its way into XML.
pub(super) struct View<'a> {
    /// The request: addresses are those that the client reached.
    pub(super) asked: &'a Asked<'a>,
    /// What the user has.
    pub(super) mine: &'a SelfCare,
}

impl View<'_> {
    fn uri(&self, own: Own) -> String {
        self.asked.uri(&Resource::of(&self.mine.user.user_id, own))
    }

    fn root(&self, name: &'static str, own: Own) -> Xml {
        answer::root(name, &self.uri(own))
    }

    /// The user's phone of this identity.
    pub(super) fn phone(&self, device: Pkid) -> Result<&Phone, Problem> {
        self.mine.phone(device).ok_or(Problem::NotFound("device"))
    }

    /// An element that AXL keeps for the user.
    fn further(&self, name: &str) -> &str {
        self.mine.further.get(name).map_or("", String::as_str)
    }

    /// `user`.
    pub(super) fn user(&self) -> Xml {
        let user = &self.mine.user;
        let mut xml = self.root("user", Own::User);
        xml.text("id", &user.pkid.to_string());
        xml.text("userName", user.user_id.as_str());
        self.write_person(&mut xml);
        let self_service = user.self_service_user_id.as_ref();
        xml.text("selfServiceId", self_service.map_or("", |id| id.as_str()));
        xml.text_with("accountType", &[("useLdapAuth", "false")], "local");
        // Every user of this database is at home here.
        xml.text("homeCluster", "true");
        self.write_primary_extension(&mut xml);
        for (name, own) in [
            ("devices", Own::Devices),
            ("credentials", Own::Credentials),
            ("extensions", Own::Extensions),
            ("subscribedServices", Own::SubscribedServices),
            ("speedDials", Own::SpeedDials),
        ] {
            xml.text_with(name, &[("uri", &self.uri(own))], "");
        }
        xml
    }

    fn write_person(&self, xml: &mut Xml) {
        let person = &self.mine.user.person;
        let limit = match self.further("remoteDestinationLimit") {
            "" => "4",
            limit => limit,
        };
        let full_name = person.full_name();
        let is_mobile = (self.further("enableMobility") == "true").to_string();
        for (name, text) in [
            ("firstName", person.first_name.as_str()),
            ("lastName", &person.last_name),
            ("middleName", &person.middle_name),
            ("nickName", ""),
            ("displayName", &full_name),
            ("phoneNumber", &person.telephone_number),
            ("homeNumber", self.further("homeNumber")),
            ("mobileNumber", self.further("mobileNumber")),
            ("mobileConnect", &is_mobile),
            ("remoteDestinationLimit", limit),
            ("userLocale", &person.user_locale),
            ("email", &person.mail),
            ("directoryUri", self.further("directoryUri")),
            ("msUri", ""),
            ("department", &person.department),
            ("manager", self.further("manager")),
            ("title", &person.title),
            ("pager", self.further("pagerNumber")),
        ] {
            xml.text(name, text);
        }
    }

    fn write_primary_extension(&self, xml: &mut Xml) {
        let extensions = self.mine.extensions();
        let Some(primary) = extensions.iter().find(|extension| extension.is_primary) else {
            return;
        };
        let line = self.mine.primary_line.as_ref();
        xml.open("primaryExtension", &[]);
        xml.text(
            "description",
            line.map_or("", |line| &line.settings.description),
        );
        xml.text("directoryNumber", primary.pattern.as_str());
        xml.text("label", primary.label.as_deref().unwrap_or_default());
        xml.close();
    }

    /// `devices`.
    pub(super) fn devices(&self) -> Xml {
        let mut xml = self.root("devices", Own::Devices);
        for known in &self.mine.phones {
            let phone = &known.phone;
            xml.open("device", &[("uri", &self.uri(Own::Device(phone.pkid)))]);
            write_device_name(&mut xml, phone);
            xml.text("model", product(phone));
            self.write_description(&mut xml, phone);
            xml.text("protocol", PROTOCOL);
            xml.close();
        }
        xml
    }

    /// `device`.
    pub(super) fn device(&self, phone: &Phone) -> Xml {
        let has_primary = phone
            .lines
            .iter()
            .any(|line| self.mine.is_primary(line.line));
        let mut xml = Xml::with_root(
            "device",
            &[
                ("uri", &self.uri(Own::Device(phone.pkid))),
                ("version", &answer::version()),
                ("hasPrimaryNumber", &has_primary.to_string()),
            ],
        );
        write_device_name(&mut xml, phone);
        self.write_description(&mut xml, phone);
        xml.text("model", product(phone));
        xml.text("protocol", PROTOCOL);
        for (name, own) in [
            ("extensions", Own::DeviceExtensions(phone.pkid)),
            ("speedDials", Own::DeviceSpeedDials(phone.pkid)),
            (
                "subscribedServices",
                Own::DeviceSubscribedServices(phone.pkid),
            ),
        ] {
            xml.text_with(name, &[("uri", &self.uri(own))], "");
        }
        xml
    }

    fn write_description(&self, xml: &mut Xml, phone: &Phone) {
        let is_editable = self.mine.owns(phone).to_string();
        let attributes = [("editable", is_editable.as_str())];
        xml.text_with("description", &attributes, &phone.description);
    }

    /// `extensions` of a phone.
    pub(super) fn device_extensions(&self, phone: &Phone) -> Xml {
        let mut xml = self.root("extensions", Own::DeviceExtensions(phone.pkid));
        for line in &phone.lines {
            let uri = self.uri(Own::DeviceExtension(phone.pkid, line.line));
            let is_primary = self.mine.is_primary(line.line).to_string();
            xml.open("extension", &[("uri", &uri), ("isPrimary", &is_primary)]);
            write_line(&mut xml, line);
            xml.close();
        }
        xml
    }

    /// `extension` of a phone.
    pub(super) fn device_extension(&self, phone: &Phone, line: Pkid) -> Result<Xml, Problem> {
        let mut lines = phone.lines.iter();
        let line = lines
            .find(|appearance| appearance.line == line)
            .ok_or(Problem::NotFound("extension"))?;
        let mut xml = Xml::with_root(
            "extension",
            &[
                (
                    "uri",
                    &self.uri(Own::DeviceExtension(phone.pkid, line.line)),
                ),
                ("version", &answer::version()),
                ("isPrimary", &self.mine.is_primary(line.line).to_string()),
            ],
        );
        write_line(&mut xml, line);
        Ok(xml)
    }

    /// `extensions`.
    pub(super) fn extensions(&self) -> Xml {
        let mut xml = self.root("extensions", Own::Extensions);
        for extension in self.mine.extensions() {
            let uri = self.uri(Own::Extension(extension.line));
            let is_primary = extension.is_primary.to_string();
            xml.open("extension", &[("uri", &uri), ("isPrimary", &is_primary)]);
            write_extension(&mut xml, &extension);
            xml.close();
        }
        xml
    }

    /// `extension`.
    pub(super) fn extension(&self, line: Pkid) -> Result<Xml, Problem> {
        let extensions = self.mine.extensions();
        let extension = extensions
            .iter()
            .find(|extension| extension.line == line)
            .ok_or(Problem::NotFound("extension"))?;
        let mut xml = Xml::with_root(
            "extension",
            &[
                ("uri", &self.uri(Own::Extension(line))),
                ("version", &answer::version()),
                ("isPrimary", &extension.is_primary.to_string()),
            ],
        );
        write_extension(&mut xml, extension);
        Ok(xml)
    }

    /// The phones of a list of speed dials or services: one, or all that the user owns.
    pub(super) fn phones_of(&self, own: Own) -> Result<Vec<&Phone>, Problem> {
        if let Own::DeviceSpeedDials(device) | Own::DeviceSubscribedServices(device) = own {
            return Ok(vec![self.phone(device)?]);
        }
        let phones = self.mine.phones.iter().map(|known| &known.phone);
        Ok(phones.filter(|phone| self.mine.owns(phone)).collect())
    }

    /// `speedDials`.
    pub(super) fn speed_dials(
        &self,
        own: Own,
        phones: &[&Phone],
        kept: &HashMap<Pkid, Buttons>,
    ) -> Xml {
        let mut xml = self.root("speedDials", own);
        for phone in phones {
            let speed_dials = kept.get(&phone.pkid).map(|buttons| &buttons.speed_dials);
            for speed_dial in speed_dials.into_iter().flatten() {
                xml.open("speedDial", &[]);
                xml.text("index", &speed_dial.index);
                xml.text("label", &speed_dial.label);
                xml.text("number", &speed_dial.number);
                self.write_device_of(&mut xml, phone);
                xml.close();
            }
        }
        xml
    }

    /// `subscribedServices`.
    pub(super) fn subscribed_services(
        &self,
        own: Own,
        phones: &[&Phone],
        kept: &HashMap<Pkid, Buttons>,
    ) -> Xml {
        let mut xml = self.root("subscribedServices", own);
        for phone in phones {
            let services = kept.get(&phone.pkid).map(|buttons| &buttons.services);
            for service in services.into_iter().flatten() {
                xml.open("subscribedService", &[]);
                xml.text("name", &service.name);
                xml.text("phoneService", &service.service);
                xml.text("url", &service.url);
                xml.text("label", &service.label);
                self.write_device_of(&mut xml, phone);
                xml.close();
            }
        }
        xml
    }

    /// The phone that an entry of a list of several phones belongs to.
    fn write_device_of(&self, xml: &mut Xml, phone: &Phone) {
        let uri = self.uri(Own::Device(phone.pkid));
        xml.text_with("device", &[("uri", &uri)], phone.name.as_str());
    }

    /// `credentials`: how the password was used.
    pub(super) fn credentials(&self, history: &LoginHistory) -> Xml {
        let mut xml = self.root("credentials", Own::Credentials);
        xml.open("credential", &[]);
        if let Some((at, source)) = history.last_login {
            let at = Timestamp::from_millisecond(at.0).unwrap_or_default();
            xml.open("loginDetails", &[]);
            xml.text("lastSuccessfulLogin", &format!("{at:.3}"));
            xml.text("lastSuccessfulLoginIp", &source.to_string());
            xml.close();
        }
        xml.text("loginFailures", &history.failures.to_string());
        xml
    }
}

/// The protocol of every device here.
const PROTOCOL: &str = "SIP";

fn product(phone: &Phone) -> &'static str {
    let model = phone.known_model();
    model.map_or("", |model| model.product)
}

fn write_device_name(xml: &mut Xml, phone: &Phone) {
    xml.text("id", &phone.pkid.to_string());
    xml.text("name", phone.name.as_str());
    xml.text("type", "Phone");
}

fn write_line(xml: &mut Xml, line: &PhoneLine) {
    xml.text("id", &line.line.to_string());
    xml.text("directoryNumber", line.pattern.as_str());
    xml.text("label", &line.label);
}

fn write_extension(xml: &mut Xml, extension: &OwnExtension) {
    xml.text("id", &extension.line.to_string());
    xml.text("directoryNumber", extension.pattern.as_str());
    let is_everywhere = extension.label.is_some().to_string();
    let label = extension.label.as_deref().unwrap_or_default();
    let attributes = [("appliesToAllLineAppearances", is_everywhere.as_str())];
    xml.text_with("label", &attributes, label);
}
