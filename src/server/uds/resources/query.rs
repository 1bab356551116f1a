//! Parameters of the searches.

use crate::domain::user_search::UserSearch;
use crate::service::users::search::UserIdentifier;

/// Longest value, in characters: no field that is looked at is longer.
const VALUE_MAX: usize = 128;

/// Most parameters of one request.
const PARAMETERS_MAX: usize = 16;

/// A search and the page of it that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsersQuery {
    /// What users are looked for by.
    pub(super) search: UserSearch,
    /// The number of the first user, from 0.
    pub(super) start: u32,
    /// How many users are wanted; `None`: as many as one answer has.
    pub(super) max: Option<u32>,
}

/// Reads the parameters of `users`.
///
/// # Errors
///
/// A sentence that names the parameter. None is ignored: a search would find more than it should.
pub(super) fn users(query: &str) -> Result<UsersQuery, String> {
    let mut read = UsersQuery {
        search: UserSearch::default(),
        start: 0,
        max: None,
    };
    for (name, value) in parameters(query)? {
        let search = &mut read.search;
        match name.as_str() {
            "name" => search.name = value,
            "first" => search.first_name = value,
            "last" => search.last_name = value,
            "displayname" => search.display_name = value,
            "username" => search.user_id = value,
            "email" => search.mail = value,
            "number" => search.telephone_number = value,
            "start" => read.start = number("start", &value)?,
            "max" => match number("max", &value)? {
                0 => return Err("max is at least 1".to_owned()),
                max => read.max = Some(max),
            },
            _ => {
                return Err(
                    "the parameters of users are name, first, last, displayname, \
                            username, email, number, start and max"
                        .to_owned(),
                );
            }
        }
    }
    Ok(read)
}

/// Reads the parameters of `clusterUser`.
///
/// # Errors
///
/// A sentence that says what to send.
pub(super) fn cluster_user(query: &str) -> Result<UserIdentifier, String> {
    let parameters = parameters(query)?;
    let [(name, value)] = parameters.as_slice() else {
        return Err("send one of username, email and useridentifier".to_owned());
    };
    let value = value.clone();
    match name.as_str() {
        _ if value.is_empty() => Err(format!("{name} is empty")),
        "username" => Ok(UserIdentifier::UserId(value)),
        "email" => Ok(UserIdentifier::Mail(value)),
        "useridentifier" => Ok(UserIdentifier::Either(value)),
        _ => Err("send one of username, email and useridentifier".to_owned()),
    }
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, String> {
    let mut read: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if read.len() >= PARAMETERS_MAX {
            return Err(format!("there are more than {PARAMETERS_MAX} parameters"));
        }
        // The decoder puts U+FFFD for what is not UTF-8.
        let is_text = |c: char| !c.is_control() && c != '\u{fffd}';
        if !name.chars().chain(value.chars()).all(is_text) {
            return Err("a parameter is not UTF-8 or has a control character".to_owned());
        }
        if value.chars().count() > VALUE_MAX {
            return Err(format!("a parameter has more than {VALUE_MAX} characters"));
        }
        if read.iter().any(|(other, _)| *other == name) {
            return Err("a parameter is there twice".to_owned());
        }
        read.push((name.into_owned(), value.trim().to_owned()));
    }
    Ok(read)
}

/// A number; one that is too large for any page counts as the largest.
fn number(name: &str, text: &str) -> Result<u32, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("{name} is a number"));
    }
    Ok(text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_and_its_page_are_read() {
        let read = users("first=u&number=%2b214&start=64&max=99999999999999999999").unwrap();
        assert_eq!(read.search.first_name, "u");
        assert_eq!(read.search.telephone_number, "+214");
        assert_eq!((read.start, read.max), (64, Some(u32::MAX)));
        assert_eq!(users("").unwrap().max, None);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let long = format!("name={}", "x".repeat(129));
        let many: String = "p=1&".repeat(20);
        for query in [
            "nam=x",
            "max=0",
            "max=-1",
            "max=1e3",
            "start=",
            "start=%31x",
            "name=%ff",
            "name=a%00",
            "name=a&name=b",
            &long,
            &many,
        ] {
            assert!(users(query).is_err(), "{query}");
        }
    }

    #[test]
    fn a_user_is_named_by_one_parameter() {
        let mail = UserIdentifier::Mail("a@b".to_owned());
        assert_eq!(cluster_user("email=a%40b"), Ok(mail));
        for query in [
            "",
            "username=",
            "username=a&email=b",
            "user=a",
            "username=a&username=b",
        ] {
            assert!(cluster_user(query).is_err(), "{query}");
        }
    }
}
