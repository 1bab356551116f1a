//! Text fields of device and line templates: text with tags such as `#FirstName#`.
//!
//! A tag is a word of letters between two `#`. Any other `#` is text (`Room #5`).

use std::fmt;

/// What a tag stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    /// The user's first name.
    FirstName,
    /// The user's middle name.
    MiddleName,
    /// The user's last name.
    LastName,
    /// The user ID.
    UserId,
    /// The user's mail address.
    Email,
    /// The user's department.
    Department,
    /// The user's title.
    Title,
    /// The directory number of the user's primary extension.
    PrimaryExtension,
    /// The directory number of the line the text belongs to.
    DirectoryNumber,
    /// The device name, `SEP` and the MAC address.
    DeviceName,
    /// The MAC address, twelve digits.
    MacAddress,
    /// The product name, `Cisco 7841`.
    Product,
    /// The protocol, `SIP`.
    Protocol,
}

impl Tag {
    /// Every tag by every name it has, the long ones first. Names compare without regard to case.
    ///
    /// Source: the long forms are ours, the short ones AXL samples of `deviceDescription`.
    pub const NAMES: [(&'static str, Self); 16] = [
        ("FirstName", Self::FirstName),
        ("MiddleName", Self::MiddleName),
        ("LastName", Self::LastName),
        ("UserID", Self::UserId),
        ("Email", Self::Email),
        ("Department", Self::Department),
        ("Title", Self::Title),
        ("PrimaryExtension", Self::PrimaryExtension),
        ("DirectoryNumber", Self::DirectoryNumber),
        ("DeviceName", Self::DeviceName),
        ("MACAddress", Self::MacAddress),
        ("Product", Self::Product),
        ("Protocol", Self::Protocol),
        ("FN", Self::FirstName),
        ("LN", Self::LastName),
        ("EXT", Self::PrimaryExtension),
    ];

    fn by_name(name: &str) -> Option<Self> {
        Self::NAMES
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, tag)| tag)
    }
}

/// The values that tags take for one device and, once it has one, its user. Empty where there is
/// nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TagValues<'a> {
    /// See [`Tag::FirstName`]; so for the others.
    pub first_name: &'a str,
    /// See [`Tag::MiddleName`].
    pub middle_name: &'a str,
    /// See [`Tag::LastName`].
    pub last_name: &'a str,
    /// See [`Tag::UserId`].
    pub user_id: &'a str,
    /// See [`Tag::Email`].
    pub email: &'a str,
    /// See [`Tag::Department`].
    pub department: &'a str,
    /// See [`Tag::Title`].
    pub title: &'a str,
    /// See [`Tag::PrimaryExtension`].
    pub primary_extension: &'a str,
    /// See [`Tag::DirectoryNumber`].
    pub directory_number: &'a str,
    /// See [`Tag::DeviceName`].
    pub device_name: &'a str,
    /// See [`Tag::MacAddress`].
    pub mac_address: &'a str,
    /// See [`Tag::Product`].
    pub product: &'a str,
    /// See [`Tag::Protocol`].
    pub protocol: &'a str,
}

impl<'a> TagValues<'a> {
    fn of(&self, tag: Tag) -> &'a str {
        match tag {
            Tag::FirstName => self.first_name,
            Tag::MiddleName => self.middle_name,
            Tag::LastName => self.last_name,
            Tag::UserId => self.user_id,
            Tag::Email => self.email,
            Tag::Department => self.department,
            Tag::Title => self.title,
            Tag::PrimaryExtension => self.primary_extension,
            Tag::DirectoryNumber => self.directory_number,
            Tag::DeviceName => self.device_name,
            Tag::MacAddress => self.mac_address,
            Tag::Product => self.product,
            Tag::Protocol => self.protocol,
        }
    }
}

/// The field an expanded text goes into, which says how long it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextField {
    /// A device's description.
    DeviceDescription,
    /// The label beside a line button.
    LineLabel,
    /// The name shown to the person called.
    LineDisplay,
    /// A directory number's description.
    LineDescription,
    /// The name shown to the caller while it rings.
    AlertingName,
}

impl TextField {
    /// Most characters. Source: AXL `XPhone/description` and `XPhoneLine`, `XLine`.
    pub const fn length_max(self) -> usize {
        match self {
            Self::DeviceDescription => 128,
            Self::LineLabel | Self::LineDisplay => 30,
            Self::LineDescription => 200,
            Self::AlertingName => 50,
        }
    }
}

/// The text has a tag nobody knows, or one that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no tag {written}; the tags are {}", known_tags())]
pub struct InvalidTag {
    /// The tag as it was written.
    pub written: String,
}

fn known_tags() -> String {
    Tag::NAMES.map(|(name, _)| format!("#{name}#")).join(", ")
}

/// A stretch of text or a tag with the name it was written by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Tag { tag: Tag, name: String },
}

/// A text field of a template, read and found good.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateText(Vec<Part>);

impl TemplateText {
    /// Reads a text field, as an administrator saves it.
    ///
    /// # Errors
    ///
    /// [`InvalidTag`] for a `#Word#` that is no tag, and for a tag without its closing `#`.
    pub fn parse(text: &str) -> Result<Self, InvalidTag> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('#') {
            literal.push_str(before);
            let letters = after.bytes().take_while(u8::is_ascii_alphabetic).count();
            let (name, following) = after.split_at(letters);
            let closed = following.strip_prefix('#');
            match (Tag::by_name(name), closed) {
                (Some(tag), Some(following)) => {
                    if !literal.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut literal)));
                    }
                    let name = name.to_owned();
                    parts.push(Part::Tag { tag, name });
                    rest = following;
                }
                (None, Some(_)) if !name.is_empty() => {
                    let written = format!("#{name}#");
                    return Err(InvalidTag { written });
                }
                (Some(_), None) => {
                    let written = format!("#{name} (without the closing #)");
                    return Err(InvalidTag { written });
                }
                _ => {
                    literal.push('#');
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self(parts))
    }

    /// The text for one device: every tag replaced by its value, control characters dropped, the
    /// blanks around an empty value closed up, cut to what the field holds.
    pub fn expand(&self, values: &TagValues, field: TextField) -> String {
        let mut expanded = String::new();
        let mut after_empty_tag = false;
        for part in &self.0 {
            let text = match part {
                Part::Tag { tag, .. } => values.of(*tag),
                Part::Text(text) => text,
            };
            let at_gap = expanded.is_empty() || expanded.ends_with(' ');
            let closes_up = after_empty_tag && at_gap;
            let text = if closes_up {
                text.trim_start_matches(' ')
            } else {
                text
            };
            expanded.extend(text.chars().filter(|c| !c.is_control()));
            after_empty_tag = matches!(part, Part::Tag { .. }) && text.is_empty();
        }
        let cut: String = expanded.chars().take(field.length_max()).collect();
        cut.trim().to_owned()
    }
}

impl fmt::Display for TemplateText {
    /// The text as it was saved.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Tag { name, .. } => write!(f, "#{name}#"),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VALUES: TagValues = TagValues {
        first_name: "akash",
        middle_name: "",
        last_name: "sethi",
        user_id: "aksethi",
        email: "aksethi@example.com",
        department: "Voice",
        title: "Engineer",
        primary_extension: "1004",
        directory_number: "1005",
        device_name: "SEP0011AABBCCDD",
        mac_address: "0011AABBCCDD",
        product: "Cisco 7841",
        protocol: "SIP",
    };

    fn expand(text: &str) -> String {
        let text = TemplateText::parse(text).unwrap();
        text.expand(&VALUES, TextField::DeviceDescription)
    }

    #[test]
    fn every_tag_stands_for_its_value_by_every_name() {
        for (text, value) in [
            ("#FirstName#", "akash"),
            ("#MiddleName#", ""),
            ("#LastName#", "sethi"),
            ("#UserID#", "aksethi"),
            ("#Email#", "aksethi@example.com"),
            ("#Department#", "Voice"),
            ("#Title#", "Engineer"),
            ("#PrimaryExtension#", "1004"),
            ("#DirectoryNumber#", "1005"),
            ("#DeviceName#", "SEP0011AABBCCDD"),
            ("#MACAddress#", "0011AABBCCDD"),
            ("#Product#", "Cisco 7841"),
            ("#Protocol#", "SIP"),
            ("#FN#", "akash"),
            ("#LN#", "sethi"),
            ("#EXT#", "1004"),
            ("#firstname#", "akash"),
        ] {
            assert_eq!(expand(text), value, "{text}");
        }
        assert_eq!(
            expand("#FN# #LN# - #EXT# (#Product#)"),
            "akash sethi - 1004 (Cisco 7841)"
        );
    }

    #[test]
    fn an_empty_value_leaves_no_gap() {
        assert_eq!(expand("#FN# #MiddleName# #LN#"), "akash sethi");
        assert_eq!(expand("#MiddleName# #LN#"), "sethi");
        assert_eq!(expand("#LN# #MiddleName#"), "sethi");
        assert_eq!(expand("two  blanks stay"), "two  blanks stay");
    }

    #[test]
    fn an_unknown_tag_is_an_error_that_names_it_and_the_known_ones() {
        let error = TemplateText::parse("Phone of #Name#").unwrap_err();
        let said = error.to_string();
        assert!(said.contains("#Name#") && said.contains("#FirstName#") && said.contains("#EXT#"));
        let open = TemplateText::parse("#FirstName of #EXT#").unwrap_err();
        assert!(open.written.starts_with("#FirstName"));
    }

    #[test]
    fn a_number_sign_that_is_no_tag_is_text() {
        for text in ["Room #5", "#", "##", "#5#6#", "a # b # c", "# FN #"] {
            assert_eq!(expand(text), text.trim(), "{text}");
        }
    }

    #[test]
    fn a_value_is_not_read_as_a_template_and_control_characters_go() {
        let values = TagValues {
            first_name: "#LN#",
            last_name: "a\r\nb",
            ..TagValues::default()
        };
        let text = TemplateText::parse("#FN# #LN#").unwrap();
        assert_eq!(text.expand(&values, TextField::LineLabel), "#LN# ab");
    }

    #[test]
    fn the_expanded_text_fits_its_field() {
        let long = "ä".repeat(500);
        let values = TagValues {
            first_name: &long,
            ..VALUES
        };
        let text = TemplateText::parse("#FN#").unwrap();
        for field in [
            TextField::DeviceDescription,
            TextField::LineLabel,
            TextField::AlertingName,
        ] {
            assert_eq!(
                text.expand(&values, field).chars().count(),
                field.length_max()
            );
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        let tag = prop::sample::select(Tag::NAMES.map(|(name, _)| format!("#{name}#")).to_vec());
        let piece = prop_oneof![tag, "[ a-z0-9#-]{0,6}"];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_text_that_is_read_is_written_as_it_was(text in any_text()) {
            if let Ok(parsed) = TemplateText::parse(&text) {
                prop_assert_eq!(parsed.to_string(), text);
            }
        }

        #[test]
        fn expansion_never_exceeds_the_field_and_reading_never_panics(text in "\\PC{0,200}") {
            if let Ok(parsed) = TemplateText::parse(&text) {
                let label = parsed.expand(&VALUES, TextField::LineLabel);
                prop_assert!(label.chars().count() <= 30);
            }
        }
    }
}
