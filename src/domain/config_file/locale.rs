//! User locales: CUCM's names for them and what a phone's file says about each.

/// A user locale as a phone's file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserLocale {
    /// CUCM's name: `English United States`. The file writes it with underscores.
    pub name: &'static str,
    /// Language code: `en_US`.
    pub language_code: &'static str,
}

/// The locale with this name, in either spelling and case; `None`: the phone keeps its own.
///
/// Source: CUCM's `typeuserlocale` names, as AXL spells them.
pub fn user_locale(name: &str) -> Option<UserLocale> {
    let name = name.trim();
    let folded = |byte: u8| {
        if byte == b'_' {
            b' '
        } else {
            byte.to_ascii_lowercase()
        }
    };
    let is_called = |locale: &&UserLocale| {
        locale.name.len() == name.len()
            && locale.name.bytes().map(folded).eq(name.bytes().map(folded))
    };
    LOCALES.iter().find(is_called).copied()
}

/// The names of all locales.
pub fn user_locale_names() -> Vec<&'static str> {
    LOCALES.iter().map(|locale| locale.name).collect()
}

const fn locale(name: &'static str, language_code: &'static str) -> UserLocale {
    UserLocale {
        name,
        language_code,
    }
}

#[rustfmt::skip]
const LOCALES: &[UserLocale] = &[
    locale("English United States", "en_US"),
    locale("French France", "fr_FR"),
    locale("German Germany", "de_DE"),
    locale("Russian Russian Federation", "ru_RU"),
    locale("Spanish Spain", "es_ES"),
    locale("Italian Italy", "it_IT"),
    locale("Dutch Netherlands", "nl_NL"),
    locale("Norwegian Norway", "nb_NO"),
    locale("Portuguese Portugal", "pt_PT"),
    locale("Swedish Sweden", "sv_SE"),
    locale("Danish Denmark", "da_DK"),
    locale("Japanese Japan", "ja_JP"),
    locale("Hungarian Hungary", "hu_HU"),
    locale("Polish Poland", "pl_PL"),
    locale("Greek Greece", "el_GR"),
    locale("Chinese China", "zh_CN"),
    locale("Korean Korea Republic", "ko_KR"),
    locale("English United Kingdom", "en_GB"),
    locale("Portuguese Brazil", "pt_BR"),
    locale("Czech Czech Republic", "cs_CZ"),
    locale("Finnish Finland", "fi_FI"),
];
