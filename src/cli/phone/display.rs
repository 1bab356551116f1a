//! A screen being filled in: field values, the cursor, and what a soft key leads to.

use super::screen::{Body, InputItem, Screen};

/// Most characters a phone lets one type into a field.
const VALUE_MAX: usize = 128;

/// A screen on the display, with what was typed into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Display {
    /// The screen.
    pub screen: Screen,
    /// Where it was fetched from: relative URLs and Update refer to it.
    pub url: String,
    /// The values of the form's fields, in their order; empty for other screens.
    values: Vec<String>,
    focus: usize,
}

/// A request that the phone's browser makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The address.
    pub url: String,
    /// The form's content when it is sent by POST; `None` for GET.
    pub body: Option<String>,
}

impl Request {
    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            body: None,
        }
    }
}

/// What pressing a soft key does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The browser fetches something.
    Fetch(Request),
    /// The screen closes and the phone is idle.
    Close,
    /// The screen changed in place (a character was erased), or nothing happened.
    Stay,
}

impl Display {
    /// Shows a screen that came from `url`. The cursor stands in the first empty field.
    pub fn new(screen: Screen, url: String) -> Self {
        let items = screen.form().map_or(&[][..], |form| &form.items);
        let values: Vec<String> = items.iter().map(|item| item.default.clone()).collect();
        let focus = values.iter().position(String::is_empty).unwrap_or(0);
        Self {
            screen,
            url,
            values,
            focus,
        }
    }

    /// The fields with their values and whether the cursor stands in them.
    pub fn fields(&self) -> impl Iterator<Item = (&InputItem, &str, bool)> {
        let items = self.screen.form().map_or(&[][..], |form| &form.items);
        let values = self.values.iter().enumerate();
        items
            .iter()
            .zip(values)
            .map(|(item, (index, value))| (item, value.as_str(), index == self.focus))
    }

    /// Fills the field with this label or parameter name. Returns whether there is one and it
    /// takes these characters.
    pub fn fill(&mut self, field: &str, text: &str) -> bool {
        let named = |item: &InputItem| {
            item.label.eq_ignore_ascii_case(field) || item.parameter.eq_ignore_ascii_case(field)
        };
        let index = self.fields().position(|(item, _, _)| named(item));
        index.is_some_and(|index| {
            self.focus = index;
            self.put(text)
        })
    }

    /// Types into the field with the cursor, then moves the cursor to the next field. Returns
    /// whether the field takes these characters.
    pub fn enter(&mut self, text: &str) -> bool {
        let taken = self.put(text);
        if taken && !self.values.is_empty() {
            self.focus = (self.focus + 1) % self.values.len();
        }
        taken
    }

    fn put(&mut self, text: &str) -> bool {
        let kind = self
            .fields()
            .nth(self.focus)
            .map(|(item, _, _)| item.flags.kind);
        let fits = text.chars().count() <= VALUE_MAX;
        match (kind, self.values.get_mut(self.focus)) {
            (Some(kind), Some(value)) if fits && text.chars().all(|c| takes(kind, c)) => {
                text.clone_into(value);
                true
            }
            _ => false,
        }
    }

    /// What the soft key with this name does; `None` when the screen has none.
    pub fn press(&mut self, name: &str) -> Option<Action> {
        let url = self.screen.soft_key(name)?.url.clone();
        Some(self.follow(&url))
    }

    /// What selecting the menu item with this number (from 1) does.
    pub fn select(&self, number: usize) -> Option<Action> {
        let Body::Menu(items) = &self.screen.body else {
            return None;
        };
        let item = items.get(number.checked_sub(1)?)?;
        Some(Action::Fetch(Request::get(self.absolute(&item.url))))
    }

    /// What a URL or URI does on this screen.
    pub fn follow(&mut self, url: &str) -> Action {
        match url.split_once(':') {
            Some(("SoftKey", "Submit")) => self.submit(),
            Some(("SoftKey", "Update")) => Action::Fetch(Request::get(self.url.clone())),
            Some(("SoftKey", "Select")) => self.select(1).unwrap_or(Action::Stay),
            Some(("SoftKey", "<<")) => {
                if let Some(value) = self.values.get_mut(self.focus) {
                    value.pop();
                }
                Action::Stay
            }
            Some(("SoftKey", "Exit" | "Back" | "Cancel") | ("Init" | "App", _)) => Action::Close,
            Some(("http" | "https", _)) => Action::Fetch(Request::get(url)),
            Some(_) => Action::Stay,
            None if url.is_empty() => Action::Stay,
            None => Action::Fetch(Request::get(self.absolute(url))),
        }
    }

    /// Sends the form: parameters in the document's order, appended to the URL or in the body.
    fn submit(&self) -> Action {
        let Some(form) = self.screen.form() else {
            return Action::Stay;
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (item, value, _) in self.fields() {
            query.append_pair(&item.parameter, value);
        }
        let query = query.finish();
        let url = self.absolute(&form.url);
        let request = if form.post {
            Request {
                url,
                body: Some(query),
            }
        } else {
            let separator = if url.contains('?') { '&' } else { '?' };
            Request::get(format!("{url}{separator}{query}"))
        };
        Action::Fetch(request)
    }

    /// Phones take absolute URLs; one that begins with `/` belongs to the host of this screen.
    fn absolute(&self, url: &str) -> String {
        if !url.starts_with('/') {
            return url.to_owned();
        }
        let after_scheme = self.url.find("://").map_or(0, |place| place + 3);
        let rest = self.url.get(after_scheme..).unwrap_or_default();
        let host_end = after_scheme + rest.find('/').unwrap_or(rest.len());
        format!("{}{url}", self.url.get(..host_end).unwrap_or_default())
    }
}

/// Whether a field of this kind takes a character. Source: `InputFlags` of the schema.
fn takes(kind: char, c: char) -> bool {
    match kind {
        'T' => c.is_ascii_digit() || matches!(c, '*' | '#' | '+'),
        'N' => c.is_ascii_digit(),
        'E' => c.is_ascii_digit() || "+-*/.=()".contains(c),
        _ => !c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(method: &str) -> Display {
        let document = format!(
            "<CiscoIPPhoneInput><URL{method}>/self?name=SEP1</URL>\
             <InputItem><DisplayName>UserID</DisplayName><QueryStringParam>userid</QueryStringParam>\
             <InputFlags>A</InputFlags></InputItem>\
             <InputItem><DisplayName>PIN</DisplayName><QueryStringParam>pin</QueryStringParam>\
             <InputFlags>NP</InputFlags></InputItem></CiscoIPPhoneInput>"
        );
        let screen = Screen::parse(document.as_bytes()).unwrap();
        Display::new(screen, "https://host:8443/self?x=1".into())
    }

    #[test]
    fn submitting_sends_every_field_in_order_as_the_document_asks() {
        let mut display = login("");
        assert!(display.enter("a b&c") && display.enter("1234"));
        let get = "https://host:8443/self?name=SEP1&userid=a+b%26c&pin=1234";
        assert_eq!(
            display.press("Submit"),
            Some(Action::Fetch(Request::get(get)))
        );
        let mut display = login(" method=\"post\"");
        assert!(display.fill("userid", "joe") && display.fill("PIN", "1"));
        assert_eq!(
            display.press("submit"),
            Some(Action::Fetch(Request {
                url: "https://host:8443/self?name=SEP1".into(),
                body: Some("userid=joe&pin=1".into()),
            }))
        );
    }

    #[test]
    fn fields_take_only_their_characters_and_can_be_erased() {
        let mut display = login("");
        assert!(!display.fill("PIN", "12a4"));
        assert!(!display.fill("nothing", "1"));
        assert!(display.fill("UserID", "joe"));
        assert_eq!(display.press("<<"), Some(Action::Stay));
        assert_eq!(display.fields().next().unwrap().1, "jo");
        assert_eq!(display.press("Help"), None);
        assert_eq!(display.press("Exit"), Some(Action::Close));
    }

    #[test]
    fn uris_of_a_phone_are_understood() {
        let mut display = login("");
        assert_eq!(display.follow("Init:Services"), Action::Close);
        assert_eq!(display.follow("Key:Soft1"), Action::Stay);
        let update = Action::Fetch(Request::get("https://host:8443/self?x=1"));
        assert_eq!(display.follow("SoftKey:Update"), update);
        assert_eq!(
            display.follow("/help"),
            Action::Fetch(Request::get("https://host:8443/help"))
        );
    }
}
