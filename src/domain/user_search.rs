//! Looking for users by the beginnings of their names and numbers.

/// What users are looked for by: every text is the beginning of a field, compared without regard to
/// the case of letters of ASCII. An empty one finds everybody.
///
/// Source: UDS API Reference, `users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UserSearch {
    /// First name, last name, both in either order, mail or display name.
    pub name: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// First and last name with a blank between.
    pub display_name: String,
    /// User ID.
    pub user_id: String,
    /// Mail address.
    pub mail: String,
    /// Telephone number.
    pub telephone_number: String,
}

/// Words of a name that are looked at.
const WORDS_MAX: usize = 3;

/// The beginnings of a first and of a last name.
pub type NamePair = (String, String);

impl UserSearch {
    /// The ways in which `name` may be parted between first and last name; one of them holds, or
    /// one of the names begins with the whole.
    pub fn name_pairs(&self) -> [NamePair; 4] {
        let words: Vec<&str> = self.name.split_whitespace().take(WORDS_MAX).collect();
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        match words.as_slice() {
            [a, b] => [pair(a, b), pair(b, a), pair(a, b), pair(b, a)],
            [a, b, c] => {
                let (start, end) = (format!("{a} {b}"), format!("{b} {c}"));
                [
                    pair(a, &end),
                    pair(&start, c),
                    pair(&end, a),
                    pair(c, &start),
                ]
            }
            words => {
                let word = words.first().copied().unwrap_or_default();
                [
                    pair(word, ""),
                    pair("", word),
                    pair(word, ""),
                    pair("", word),
                ]
            }
        }
    }

    /// The words of `name` that are looked at, with one blank between.
    pub fn whole_name(&self) -> String {
        let words: Vec<&str> = self.name.split_whitespace().take(WORDS_MAX).collect();
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(name: &str) -> Vec<NamePair> {
        let search = UserSearch {
            name: name.to_owned(),
            ..UserSearch::default()
        };
        search.name_pairs().to_vec()
    }

    #[test]
    fn words_are_looked_for_in_first_and_last_name_in_either_order() {
        let pair = |first: &str, last: &str| (first.to_owned(), last.to_owned());
        assert!(pairs("").contains(&pair("", "")));
        assert_eq!(pairs("ak")[..2], [pair("ak", ""), pair("", "ak")]);
        let both = [pair("akash", "sethi"), pair("sethi", "akash")];
        assert_eq!(pairs(" akash  sethi ")[..2], both);
        assert_eq!(
            pairs("van der berg anna"),
            [
                pair("van", "der berg"),
                pair("van der", "berg"),
                pair("der berg", "van"),
                pair("berg", "van der")
            ]
        );
    }
}
