//! What a phone asks for, read from the name in its request.
//!
//! Names come from the network and never reach a file system as they are: whatever is not one of
//! the names that phones are known to use is a [`FirmwarePath`] of plain components, or refused.
//! Source: names in captures of phones and CUCM's TFTP service.

use std::fmt;

use crate::domain::device::DeviceName;
use crate::domain::device::MacAddress;
use crate::domain::phone_model;
use crate::domain::phone_model::FileFormat;
use crate::domain::phone_model::PhoneModel;
use crate::domain::trust_list::ListName;

/// Longest name that is looked at, in bytes. The longest real one is under 80.
pub const NAME_LENGTH_MAX: usize = 255;

/// Most folders in a firmware path (`Desktops/320x212x12/List.xml` has three parts).
const COMPONENTS_MAX: usize = 6;

/// Makes the file of one device.
type OfDevice = fn(DeviceName) -> RequestedFile;

/// What a name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedFile {
    /// The file of a device: `SEP<MAC>.cnf.xml`.
    Device(DeviceName),
    /// A generated file with a signature: `SEP<MAC>.cnf.xml.sgn`, `softkeys.xml.sgn`.
    Signed {
        /// The whole name as it was asked for, without slashes in front.
        name: FirmwarePath,
        /// What the name without `.sgn` asks for.
        file: Box<RequestedFile>,
    },
    /// A device's file, encrypted for the phone's own certificate: `SEP<MAC>.cnf.xml.enc.sgn`.
    EncryptedDevice(DeviceName),
    /// The profile of a multiplatform phone, by its MAC address: `0011aabbccdd.xml` and the names
    /// that sites have in their phones' profile rules.
    FlatProfile(DeviceName),
    /// The profile of a multiplatform model, which a phone asks for from the factory (`$PSN.xml`):
    /// `8841-3PCC.xml`.
    ModelProfile(&'static PhoneModel),
    /// `XMLDefault.cnf.xml`.
    XmlDefault,
    /// A trust list: of one device, or of all (`ITLFile.tlv`, `CTLFile.tlv`).
    TrustList(ListName, Option<DeviceName>),
    /// Dial rules: `dialplan.xml`, `DR<uuid>.xml`.
    DialPlan,
    /// Soft keys: `softkeys.xml`, `SK<uuid>.xml`.
    SoftKeys,
    /// Feature policy: `featurepolicy.xml`, `DefaultFP.xml`, `DefaultFP1.xml`.
    FeaturePolicy,
    /// `Ringlist.xml` and its kin; the firmware folder may hold one.
    RingList(FirmwarePath),
    /// An index of files or devices, which nobody ever gets.
    Index,
    /// Anything else: firmware, locale, tones, ring and image files, where they are served.
    Firmware(FirmwarePath),
}

/// A relative path of plain components: no `..`, no hidden files, no drive letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwarePath(Box<str>);

impl FirmwarePath {
    /// The components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.0.split('/')
    }

    /// The path with `/` between its components.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FirmwarePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that is refused without looking any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RefusedName {
    /// Nothing but slashes.
    #[error("the file name is empty")]
    Empty,
    /// More than [`NAME_LENGTH_MAX`] bytes.
    #[error("the file name is longer than 255 bytes")]
    TooLong,
    /// A NUL, another control character or invalid UTF-8.
    #[error("the file name has characters that no phone sends")]
    Characters,
    /// `..` or a hidden component: somebody wants out of the folder.
    #[error("the file name leads out of the folder")]
    Traversal,
}

/// Reads the name of a request.
///
/// Letter case does not matter; `\` counts as `/`; slashes at the start are dropped.
///
/// # Errors
///
/// [`RefusedName`] for names that no phone sends.
pub fn parse(name: &[u8]) -> Result<RequestedFile, RefusedName> {
    if let Some(device) = phones_own_file(name) {
        return Ok(RequestedFile::Device(device));
    }
    let path = firmware_path(name)?;
    if path.as_str().contains('/') {
        return Ok(RequestedFile::Firmware(path));
    }
    let lower = path.as_str().to_ascii_lowercase();
    if let Some(file) = lower.strip_suffix(SIGNED).and_then(|_| signed(&path)) {
        let file = Box::new(file);
        return Ok(RequestedFile::Signed { name: path, file });
    }
    if RING_LISTS.contains(&lower.as_str()) {
        return Ok(RequestedFile::RingList(path));
    }
    Ok(well_known(&lower)
        .or_else(|| device_file(&lower, path.as_str()))
        .or_else(|| generated(&lower))
        .or_else(|| profile(&lower))
        .unwrap_or(RequestedFile::Firmware(path)))
}

/// `SEP<MAC>.cnf.xml`, which nearly every request asks for, without looking at anything else.
fn phones_own_file(name: &[u8]) -> Option<DeviceName> {
    let name = std::str::from_utf8(name).ok()?.trim_start_matches('/');
    let (stem, end) = name.split_at_checked(DeviceName::OF_PHONE_LENGTH)?;
    if !end.eq_ignore_ascii_case(".cnf.xml") {
        return None;
    }
    let device: DeviceName = stem.parse().ok()?;
    device.mac().is_some().then_some(device)
}

/// What stands behind the name of a signed file.
const SIGNED: &str = ".sgn";

/// The generated file that a signed one holds. Others, such as firmware, come signed by their maker.
fn signed(path: &FirmwarePath) -> Option<RequestedFile> {
    let plain = path.as_str().get(..path.as_str().len() - SIGNED.len())?;
    let file = parse(plain.as_bytes()).ok()?;
    matches!(
        file,
        RequestedFile::Device(_)
            | RequestedFile::XmlDefault
            | RequestedFile::DialPlan
            | RequestedFile::SoftKeys
            | RequestedFile::FeaturePolicy
            | RequestedFile::RingList(_)
    )
    .then_some(file)
}

fn firmware_path(name: &[u8]) -> Result<FirmwarePath, RefusedName> {
    if name.len() > NAME_LENGTH_MAX {
        return Err(RefusedName::TooLong);
    }
    let text = std::str::from_utf8(name).map_err(|_| RefusedName::Characters)?;
    if text.chars().any(|c| c.is_control() || c == ':') {
        return Err(RefusedName::Characters);
    }
    let text = text.replace('\\', "/");
    let components: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    if components.is_empty() {
        return Err(RefusedName::Empty);
    }
    if components.len() > COMPONENTS_MAX || components.iter().any(|part| part.starts_with('.')) {
        return Err(RefusedName::Traversal);
    }
    Ok(FirmwarePath(components.join("/").into_boxed_str()))
}

/// Names of ring lists: narrow band, wide band, and of distinctive rings.
const RING_LISTS: [&str; 3] = ["ringlist.xml", "ringlist-wb.xml", "distinctiveringlist.xml"];

fn well_known(lower: &str) -> Option<RequestedFile> {
    Some(match lower {
        "xmldefault.cnf.xml" => RequestedFile::XmlDefault,
        "itlfile.tlv" => RequestedFile::TrustList(ListName::Itl, None),
        "ctlfile.tlv" => RequestedFile::TrustList(ListName::Ctl, None),
        "dialplan.xml" | "dialtemplate.xml" => RequestedFile::DialPlan,
        "softkeys.xml" => RequestedFile::SoftKeys,
        "featurepolicy.xml" => RequestedFile::FeaturePolicy,
        "configfilecachelist.txt"
        | "filelist.txt"
        | "bincopylist.txt"
        | "paramlist.txt"
        | "loadlist.txt"
        | "lostfound.txt"
        | "index.html"
        | "index.htm"
        | "index.xml"
        | "index.txt"
        | "list.txt"
        | "spdefault.cnf.xml" => RequestedFile::Index,
        _ => return None,
    })
}

/// `SEP<MAC>.cnf.xml` with its suffixes, and the trust lists of one device.
fn device_file(lower: &str, name: &str) -> Option<RequestedFile> {
    if let Some(stem) = lower.strip_suffix(".tlv") {
        let (list, stem) = match stem.strip_prefix("itl") {
            Some(stem) => (ListName::Itl, stem),
            None => (ListName::Ctl, stem.strip_prefix("ctl")?),
        };
        let device: DeviceName = stem.parse().ok()?;
        device.mac()?;
        return Some(RequestedFile::TrustList(list, Some(device)));
    }
    let kinds: [(&str, OfDevice); 2] = [
        (".cnf.xml.enc.sgn", RequestedFile::EncryptedDevice),
        (".cnf.xml", RequestedFile::Device),
    ];
    let (stem, kind) = kinds
        .into_iter()
        .find_map(|(suffix, kind)| Some((lower.strip_suffix(suffix)?, kind)))?;
    Some(kind(name.get(..stem.len())?.parse().ok()?))
}

/// Profiles of multiplatform phones. Source: the default rule `/$PSN.xml` of the phones, and the
/// macros `$MA` and `$MAU` in `Profile_Rule` as sites and guides use them.
fn profile(lower: &str) -> Option<RequestedFile> {
    let stem = lower
        .strip_suffix(".xml")
        .or_else(|| lower.strip_suffix(".cfg"))?;
    if let Some(model) = phone_model::by_multiplatform_name(stem) {
        return Some(RequestedFile::ModelProfile(model));
    }
    let digits = ["sep", "spa"]
        .into_iter()
        .find_map(|prefix| stem.strip_prefix(prefix))
        .unwrap_or(stem);
    let is_mac = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let mac: MacAddress = digits.parse().ok().filter(|_| is_mac)?;
    Some(RequestedFile::FlatProfile(DeviceName::of_phone(mac)))
}

/// The name under which a device gets its settings: what it asks for, or what its sheet is saved as.
pub fn of_device(name: &DeviceName, format: FileFormat) -> String {
    match (format, name.mac()) {
        (FileFormat::FlatProfile, Some(mac)) => {
            format!("{}.xml", mac.to_string().to_ascii_lowercase())
        }
        (FileFormat::FlatProfile, None) => format!("{name}.xml"),
        (FileFormat::CiscoXml, _) => format!("{name}.cnf.xml"),
        (FileFormat::AccountSheet, _) => format!("{name}.txt"),
    }
}

/// Most digits behind `DefaultFP`.
const POLICY_DIGITS_MAX: usize = 4;

/// The names that CUCM gives to files it generates: two letters and a UUID, or `DefaultFP` and a
/// number.
fn generated(lower: &str) -> Option<RequestedFile> {
    let stem = lower.strip_suffix(".xml")?;
    if let Some(number) = stem.strip_prefix("defaultfp") {
        let is_one =
            number.len() <= POLICY_DIGITS_MAX && number.bytes().all(|b| b.is_ascii_digit());
        return is_one.then_some(RequestedFile::FeaturePolicy);
    }
    let (kind, uuid) = stem.split_at_checked(2)?;
    let is_uuid = uuid.len() == 36 && uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match kind {
        "dr" if is_uuid => Some(RequestedFile::DialPlan),
        "sk" if is_uuid => Some(RequestedFile::SoftKeys),
        "fp" if is_uuid => Some(RequestedFile::FeaturePolicy),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(name: &str) -> RequestedFile {
        parse(name.as_bytes()).unwrap()
    }

    fn phone() -> DeviceName {
        "SEP0011AABBCCDD".parse().unwrap()
    }

    #[test]
    fn a_phones_names_are_known_in_any_case_and_with_any_slash() {
        for name in [
            "SEP0011AABBCCDD.cnf.xml",
            "/sep0011aabbccdd.CNF.XML",
            "\\SEP0011aabbccdd.cnf.xml",
            "//SEP0011AABBCCDD.cnf.xml",
        ] {
            assert_eq!(read(name), RequestedFile::Device(phone()), "{name}");
        }
        assert_eq!(
            read("sep0011aabbccdd.cnf.xml.enc.sgn"),
            RequestedFile::EncryptedDevice(phone())
        );
        for (name, list) in [
            ("CTLSEP0011AABBCCDD.tlv", ListName::Ctl),
            ("itlsep0011aabbccdd.tlv", ListName::Itl),
        ] {
            let expected = RequestedFile::TrustList(list, Some(phone()));
            assert_eq!(read(name), expected, "{name}");
        }
        for (name, list) in [
            ("ITLFile.tlv", ListName::Itl),
            ("CTLFile.tlv", ListName::Ctl),
        ] {
            assert_eq!(read(name), RequestedFile::TrustList(list, None));
        }
        assert_eq!(read("/XMLDefault.cnf.xml"), RequestedFile::XmlDefault);
        assert_eq!(
            read("CSFaksethi.cnf.xml"),
            RequestedFile::Device("CSFaksethi".parse().unwrap())
        );
    }

    #[test]
    fn generated_files_are_asked_for_with_a_signature_and_firmware_never() {
        let uuid = "5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11";
        for plain in [
            "SEP0011AABBCCDD.cnf.xml",
            "XMLDefault.cnf.xml",
            "dialplan.xml",
            &format!("DR{uuid}.xml"),
            "softkeys.xml",
            "featurepolicy.xml",
            "Ringlist.xml",
        ] {
            let RequestedFile::Signed { name, file } = read(&format!("/{plain}.SGN")) else {
                panic!("{plain}");
            };
            assert_eq!(name.as_str(), format!("{plain}.SGN"));
            assert_eq!(*file, read(plain));
        }
        for other in [
            "term42.default.loads.sgn",
            "ITLFile.tlv.sgn",
            "0011aabbccdd.xml.sgn",
            "softkeys.xml.sgn.sgn",
            "English/softkeys.xml.sgn",
            ".sgn.sgn",
        ] {
            let read = parse(other.as_bytes());
            let is_signed = matches!(read, Ok(RequestedFile::Signed { .. }));
            assert!(!is_signed, "{other}");
        }
        assert_eq!(
            read("SPDefault.cnf.xml.sgn"),
            RequestedFile::Firmware(FirmwarePath("SPDefault.cnf.xml.sgn".into()))
        );
    }

    #[test]
    fn generated_files_are_known_by_both_their_names() {
        let uuid = "5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11";
        assert_eq!(read("dialplan.xml"), RequestedFile::DialPlan);
        assert_eq!(read(&format!("DR{uuid}.xml")), RequestedFile::DialPlan);
        assert_eq!(read(&format!("SK{uuid}.xml")), RequestedFile::SoftKeys);
        assert_eq!(read("SoftKeys.xml"), RequestedFile::SoftKeys);
        for name in ["DefaultFP.xml", "DefaultFP1.xml"] {
            assert_eq!(read(name), RequestedFile::FeaturePolicy);
        }
        for name in ["DefaultFPx.xml", "DefaultFP12345.xml"] {
            assert!(matches!(read(name), RequestedFile::Firmware(_)), "{name}");
        }
        for name in ["ringlist.xml", "Ringlist-wb.xml", "RingList.xml"] {
            assert!(matches!(read(name), RequestedFile::RingList(_)), "{name}");
        }
        assert!(matches!(read("DRAGON.xml"), RequestedFile::Firmware(_)));
    }

    #[test]
    fn a_multiplatform_phone_is_known_by_its_model_and_its_mac() {
        for name in [
            "0011aabbccdd.xml",
            "0011AABBCCDD.cfg",
            "/SEP0011AABBCCDD.xml",
            "spa0011aabbccdd.cfg",
        ] {
            assert_eq!(read(name), RequestedFile::FlatProfile(phone()), "{name}");
        }
        for name in ["/8841-3PCC.xml", "CP-8841-3PCC.xml", "8841-3pcc.cfg"] {
            let model = phone_model::by_number(1_008_841).unwrap();
            assert_eq!(read(name), RequestedFile::ModelProfile(model), "{name}");
        }
        for name in [
            "8841.xml",
            "00-11-aa-bb-cc-dd.xml",
            "0011aabbccd.xml",
            "a.cfg",
        ] {
            assert!(matches!(read(name), RequestedFile::Firmware(_)), "{name}");
        }
        assert_eq!(
            of_device(&phone(), FileFormat::FlatProfile),
            "0011aabbccdd.xml"
        );
        let base: DeviceName = "dect-7".parse().unwrap();
        assert_eq!(of_device(&base, FileFormat::AccountSheet), "dect-7.txt");
    }

    #[test]
    fn an_index_is_never_a_file_and_the_rest_is_firmware() {
        for name in [
            "ConfigFileCacheList.txt",
            "/FileList.txt",
            "SPDefault.cnf.xml",
        ] {
            assert_eq!(read(name), RequestedFile::Index, "{name}");
        }
        let RequestedFile::Firmware(path) = read("\\Desktops\\320x212x12/List.xml") else {
            panic!("not firmware");
        };
        assert_eq!(path.as_str(), "Desktops/320x212x12/List.xml");
        assert!(matches!(
            read("sip78xx.12-5-1SR2-2.loads"),
            RequestedFile::Firmware(_)
        ));
        assert!(matches!(
            read("x/SEP0011AABBCCDD.cnf.xml"),
            RequestedFile::Firmware(_)
        ));
    }

    #[test]
    fn names_that_no_phone_sends_are_refused() {
        for (name, why) in [
            (&b""[..], RefusedName::Empty),
            (b"///", RefusedName::Empty),
            (b"../etc/passwd", RefusedName::Traversal),
            (b"a/..\\..\\b", RefusedName::Traversal),
            (b".hidden", RefusedName::Traversal),
            (b"a/./b", RefusedName::Traversal),
            (b"1/2/3/4/5/6/7", RefusedName::Traversal),
            (b"SEP\0.cnf.xml", RefusedName::Characters),
            (b"C:boot.ini", RefusedName::Characters),
            (b"\xff\xfe", RefusedName::Characters),
            (&[b'a'; 256], RefusedName::TooLong),
        ] {
            assert_eq!(parse(name), Err(why), "{}", name.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_name_leads_out_of_the_folder(name in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(RequestedFile::Firmware(path)) = parse(&name) {
                for part in path.components() {
                    prop_assert!(!part.is_empty() && !part.starts_with('.'));
                    prop_assert!(!part.contains(['\0', '\\', ':']));
                }
            }
        }
    }
}
