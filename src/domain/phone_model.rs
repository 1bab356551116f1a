//! The phone models this program knows: their numbers, names, class and what they can do.
//!
//! A model arrives in four spellings: the number a phone registers with
//! (`+u.sip!model.ccm.cisco.com="622"`), CUCM's product name (`Cisco 7841`), the header of its
//! browser (`CP-7841`) and its user agent (`Cisco-CP7841/12.5.1`). All lead to one row here.

mod table;

use super::sip_digest::DigestAlgorithm;

/// *Third-party SIP Device (Basic)*: one line.
pub const THIRD_PARTY_BASIC: u32 = 336;

/// *Third-party SIP Device (Advanced)*: eight lines.
pub const THIRD_PARTY_ADVANCED: u32 = 374;

/// Which template of a user profile a device takes.
///
/// Source: AXL `XUserProfileProvision` (`deskPhones`, `mobileDevices`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceClass {
    /// Stands on a desk or hangs behind an adapter: the profile's desk phone template.
    DeskPhone,
    /// Runs on a computer or a mobile phone: the profile's mobile or desktop template.
    MobileOrDesktop,
    /// A model number that is no phone (a CTI port, a template): never provisioned.
    NotAPhone,
}

/// What models of one kind have in common: firmware, screens and security.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ModelFamily {
    /// 7940 and 7960: the oldest SIP loads, which know `check-sync` alone.
    Cisco7940,
    /// The other 79xx desk phones and the 3900s: TLS 1.0, GET forms.
    Cisco7900,
    /// 69xx.
    Cisco6900,
    /// 89xx and 99xx.
    Cisco8900,
    /// 78xx and the 7832.
    Cisco7800,
    /// 88xx and the 8832.
    Cisco8800,
    /// Wireless 792x.
    Wireless,
    /// Conference stations before the 7832 and 8832.
    Conference,
    /// Jabber and IP Communicator.
    Software,
    /// Analog adapters and ports: no screen.
    Analog,
    /// SIP devices of other makers.
    ThirdParty,
    /// Cisco phones with multiplatform firmware (3PCC), which know nothing of a CUCM.
    Multiplatform,
    /// Cisco's base stations for DECT handsets: multiplatform firmware without a screen.
    DectBase,
    /// No phone.
    NotAPhone,
}

/// What an administrator or the device itself gets its settings from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// `SEP<MAC>.cnf.xml`, as CUCM writes it.
    CiscoXml,
    /// `<flat-profile>` XML of multiplatform firmware.
    FlatProfile,
    /// Nothing that the device asks for: a sheet that an administrator reads and types in.
    AccountSheet,
}

/// Where a phone's own applications put Select, Exit and the rest; screens that follow it feel
/// native.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoftKeyLayout {
    /// Submit or Select on key 1, Exit on key 3 (79xx and their contemporaries).
    SelectFirst,
    /// Exit or Back on key 1, Select on key 2 (78xx, 88xx).
    ExitFirst,
    /// The device shows no XML screens.
    None,
}

/// One model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhoneModel {
    /// CUCM's model number (`tkmodel`): what a phone registers with and `loadInformationN` names.
    pub number: u32,
    /// CUCM's product name.
    pub product: &'static str,
    /// What it shares with others.
    pub family: ModelFamily,
    /// Buttons that can be lines, without expansion modules.
    pub line_buttons: u8,
    /// How the names of its SIP firmware begin, where known.
    pub load_prefix: Option<&'static str>,
}

impl PhoneModel {
    /// Which template of a user profile it takes.
    pub const fn class(&self) -> DeviceClass {
        match self.family {
            ModelFamily::Software => DeviceClass::MobileOrDesktop,
            ModelFamily::NotAPhone => DeviceClass::NotAPhone,
            _ => DeviceClass::DeskPhone,
        }
    }

    /// Whether anybody can call with it. A model that is no phone is never provisioned.
    pub const fn is_phone(&self) -> bool {
        !matches!(self.family, ModelFamily::NotAPhone)
    }

    /// Whether its HTTPS client can talk to a server that demands TLS 1.2 (older ones end at 1.0).
    pub const fn speaks_tls_1_2(&self) -> bool {
        matches!(
            self.family,
            ModelFamily::Cisco7800 | ModelFamily::Cisco8800 | ModelFamily::Software
        )
    }

    /// Whether it sends a form by POST when told `<URL method="post">`; others send GET whatever
    /// they are told. Source: IP Phone Services notes (7800, 8800, 7832, 8832).
    pub const fn accepts_post(&self) -> bool {
        matches!(self.family, ModelFamily::Cisco7800 | ModelFamily::Cisco8800)
    }

    /// Whether it obeys `Event: check-sync` alone and not `service-control`.
    pub const fn restarts_by_check_sync_only(&self) -> bool {
        matches!(self.family, ModelFamily::Cisco7940) || self.is_found_by_account()
    }

    /// Whether its REGISTER says nothing of a device: it is found by its digest user and the line
    /// in To. Source: such devices know no `+u.sip!devicename.ccm.cisco.com`.
    pub const fn is_found_by_account(&self) -> bool {
        matches!(
            self.family,
            ModelFamily::ThirdParty | ModelFamily::Multiplatform | ModelFamily::DectBase
        )
    }

    /// Whether it is one of CUCM's two device types for SIP devices of other makers.
    pub fn is_third_party(&self) -> bool {
        matches!(self.family, ModelFamily::ThirdParty)
    }

    /// What it is challenged with, the strongest first (RFC 8760 clause 2.4). Cisco's own phones
    /// read the first challenge alone and know MD5; so do simple clients, which is what
    /// *Third-party SIP Device (Basic)* is for.
    pub const fn digest_algorithms(&self) -> &'static [DigestAlgorithm] {
        match self.number {
            THIRD_PARTY_ADVANCED => &[DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
            _ => &[DigestAlgorithm::Md5],
        }
    }

    /// How it gets its settings.
    pub const fn file_format(&self) -> FileFormat {
        match self.family {
            ModelFamily::Multiplatform => FileFormat::FlatProfile,
            ModelFamily::ThirdParty | ModelFamily::DectBase => FileFormat::AccountSheet,
            _ => FileFormat::CiscoXml,
        }
    }

    /// Whether it shows the XML screens of the idle URL.
    pub const fn shows_xml_screens(&self) -> bool {
        !matches!(self.soft_key_layout(), SoftKeyLayout::None)
    }

    /// Where its own applications put their soft keys.
    pub const fn soft_key_layout(&self) -> SoftKeyLayout {
        match self.family {
            ModelFamily::Cisco7800 | ModelFamily::Cisco8800 => SoftKeyLayout::ExitFirst,
            ModelFamily::Cisco7940
            | ModelFamily::Cisco7900
            | ModelFamily::Cisco6900
            | ModelFamily::Cisco8900
            | ModelFamily::Wireless
            | ModelFamily::Conference => SoftKeyLayout::SelectFirst,
            ModelFamily::Software
            | ModelFamily::Analog
            | ModelFamily::ThirdParty
            | ModelFamily::Multiplatform
            | ModelFamily::DectBase
            | ModelFamily::NotAPhone => SoftKeyLayout::None,
        }
    }

    /// The product name without the maker: `7841`, `ATA 186`.
    pub fn designation(&self) -> &'static str {
        self.product.strip_prefix("Cisco ").unwrap_or(self.product)
    }

    /// The spelling of the header `x-CiscoIPPhoneModelName`: `CP-7841`.
    pub fn header_name(&self) -> String {
        format!("CP-{}", self.designation())
    }
}

/// Every model, in the order of its number.
pub const fn all() -> &'static [PhoneModel] {
    table::MODELS
}

/// Product names of the models that are phones, in the order of their numbers.
pub fn phone_products() -> Vec<&'static str> {
    let phones = all().iter().filter(|model| model.is_phone());
    phones.map(|model| model.product).collect()
}

/// The model with this number, as a phone registers with it.
pub fn by_number(number: u32) -> Option<&'static PhoneModel> {
    all()
        .binary_search_by_key(&number, |model| model.number)
        .ok()
        .and_then(|index| all().get(index))
}

/// The model with this product name, without regard to case: `Cisco 7841`.
pub fn by_product(product: &str) -> Option<&'static PhoneModel> {
    let product = product.trim();
    all()
        .iter()
        .find(|model| model.product.eq_ignore_ascii_case(product))
}

/// The model that an administrator names: by number, product name, or as the device writes itself
/// (`CP-8841-3PCC`).
pub fn named(text: &str) -> Option<&'static PhoneModel> {
    let by_digits = || text.trim().parse().ok().and_then(by_number);
    by_product(text)
        .or_else(by_digits)
        .or_else(|| by_designation(text.trim()))
        .or_else(|| from_header(text))
}

/// The multiplatform model whose own name for itself (`$PSN`) this is: `8841-3PCC`, `CP-8841-3PCC`.
pub fn by_multiplatform_name(name: &str) -> Option<&'static PhoneModel> {
    let name = strip_prefix_ignoring_case(name, "CP-").unwrap_or(name);
    by_designation(name).filter(|model| matches!(model.family, ModelFamily::Multiplatform))
}

/// The model that a phone's browser header or user agent names: `CP-7841`, `CP-7975G`,
/// `CP-8841-K9`, `Cisco-CP7821/12.1.1`.
///
/// What follows the four digits (`G`, `-K9`) is dropped unless it makes a model of its own
/// (`7961G-GE`). Source: captures of registrations and service requests.
pub fn from_header(header: &str) -> Option<&'static PhoneModel> {
    let name = header.trim().split(['/', ' ', ';']).next()?;
    let name = strip_prefix_ignoring_case(name, "Cisco-").unwrap_or(name);
    if let Some((_, number)) = USER_AGENTS
        .iter()
        .find(|(agent, _)| name.eq_ignore_ascii_case(agent))
    {
        return by_number(*number);
    }
    let name = strip_prefix_ignoring_case(name, "CP")?;
    let name = name.strip_prefix('-').unwrap_or(name);
    by_designation(name).or_else(|| {
        if name.to_ascii_uppercase().contains(MULTIPLATFORM_MARK) {
            return None;
        }
        let (digits, rest) = name.split_at_checked(4)?;
        let suffix_follows = rest
            .chars()
            .next()
            .is_none_or(|c| c == '-' || c.is_ascii_alphabetic());
        suffix_follows.then(|| by_designation(digits)).flatten()
    })
}

/// User agents that do not name their model by its digits. Source: captures.
const USER_AGENTS: [(&str, u32); 6] = [
    ("CSF", 503),
    ("SIPIPCommunicator", 30016),
    ("ATA186", 12),
    ("ATA187", 550),
    ("DBS-110-3PC", 1_000_110),
    ("DBS-210-3PC", 1_000_210),
];

/// What marks multiplatform firmware in a name; without it the same digits are another model.
/// Source: user agents such as `Cisco-CP-8841-3PCC/11.0 (00562b043615)`.
const MULTIPLATFORM_MARK: &str = "-3PC";

fn by_designation(designation: &str) -> Option<&'static PhoneModel> {
    all()
        .iter()
        .find(|model| model.designation().eq_ignore_ascii_case(designation))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_products_name_one_model_each() {
        for pair in all().windows(2) {
            assert!(pair[0].number < pair[1].number, "{}", pair[1].product);
        }
        for model in all() {
            assert_eq!(by_number(model.number), Some(model));
            assert_eq!(by_product(model.product), Some(model));
        }
        assert_eq!(by_number(1), None);
        assert_eq!(by_product("Cisco 7842"), None);
    }

    #[test]
    fn every_spelling_of_a_header_leads_to_its_model() {
        for (header, number) in [
            ("CP-7841", 622),
            ("cp-7841", 622),
            ("CP-7975G", 437),
            ("CP-8841-K9", 683),
            ("Cisco-CP7821/12.1.1", 621),
            ("Cisco-CP7970G/8.0", 30006),
            ("CP-7961G-GE", 308),
            ("CP-7961G", 30018),
            ("CP-8845-NR-K9=", 36224),
            ("Cisco-SIPIPCommunicator/9.1.1", 30016),
            ("Cisco-CSF/9.4.0", 503),
        ] {
            assert_eq!(
                from_header(header).map(|m| m.number),
                Some(number),
                "{header}"
            );
        }
        for header in [
            "",
            "CP-",
            "CP-78",
            "CP-78411",
            "7841",
            "Yealink SIP-T46S",
            "CP-ü841",
        ] {
            assert_eq!(from_header(header), None, "{header}");
        }
    }

    #[test]
    fn what_a_model_can_do_follows_its_family() {
        let model = |number| by_number(number).unwrap();
        assert!(model(622).accepts_post() && model(622).speaks_tls_1_2());
        assert!(model(36258).accepts_post());
        assert!(!model(437).accepts_post() && !model(437).speaks_tls_1_2());
        assert!(model(7).restarts_by_check_sync_only() && model(8).restarts_by_check_sync_only());
        assert!(!model(115).restarts_by_check_sync_only());
        assert_eq!(model(503).class(), DeviceClass::MobileOrDesktop);
        assert_eq!(model(72).class(), DeviceClass::NotAPhone);
        assert!(!model(645).is_phone());
        assert_eq!(model(683).soft_key_layout(), SoftKeyLayout::ExitFirst);
        assert_eq!(model(436).soft_key_layout(), SoftKeyLayout::SelectFirst);
        assert!(!model(550).shows_xml_screens());
    }

    #[test]
    fn devices_without_a_cucm_are_models_of_their_own() {
        let user_agent = "Cisco-CP-8841-3PCC/11.0 (00562b043615)";
        let multiplatform = from_header(user_agent).unwrap();
        assert_eq!(multiplatform.product, "Cisco 8841-3PCC");
        assert_eq!(named("CP-8841-3PCC"), Some(multiplatform));
        assert_eq!(by_multiplatform_name("8841-3PCC"), Some(multiplatform));
        assert_eq!(by_multiplatform_name("8841"), None);
        assert_eq!(from_header("Cisco-CP-8875-3PCC/3.1"), None, "not the 8875");
        assert_eq!(named("Third-party SIP Device (Basic)").unwrap().number, 336);
        assert_eq!(named("374").unwrap().line_buttons, 8);
        assert_eq!(named("7841").unwrap().number, 622);
        let base = from_header("Cisco-DBS-210-3PC/5.1").unwrap();
        assert_eq!(base.file_format(), FileFormat::AccountSheet);
        for model in [multiplatform, base, named("336").unwrap()] {
            assert!(model.is_found_by_account() && model.restarts_by_check_sync_only());
            assert!(!model.shows_xml_screens());
            assert_eq!(model.digest_algorithms(), [DigestAlgorithm::Md5]);
        }
        let advanced = named("374").unwrap().digest_algorithms();
        assert_eq!(advanced, [DigestAlgorithm::Sha256, DigestAlgorithm::Md5]);
        assert!(!by_number(622).unwrap().is_found_by_account());
    }
}
