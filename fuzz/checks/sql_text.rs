//! Statements of AXL: each is read down to the last name or refused in a sentence that can be read,
//! what is read stays the same with a semicolon behind it, and none of it gets into the text for
//! the database.

use selfprov::service::sql;

/// Longest refusal in bytes: a sentence of ours with a hundred characters of the statement.
const REFUSAL_BYTES_MAX: usize = 1_000;

/// A word that no text of ours has.
const MARKER: &str = "zqmarker";

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match sql::check(text) {
        // A comment would hide the semicolon, and one in a CDATA section stands behind it.
        Ok(_) if !text.contains("--") && !text.trim().ends_with("]]>") => {
            let again = sql::check(&format!("{text};"));
            assert!(again.is_ok() || text.len() > 60_000 || text.trim().ends_with(';'));
        }
        Ok(_) => {}
        Err(error) => {
            assert!(error.number() < 0);
            assert!(error.to_string().len() <= REFUSAL_BYTES_MAX, "{error}");
        }
    }
    let words = words(text);
    if let Some(word) = words.get(bytes.len() * 7 % words.len().max(1)) {
        let forms = forms(word);
        check_marked(text, word, &forms[bytes.len() % forms.len()]);
    }
}

/// The same with each word of a statement in turn, in every form; gives how many of these
/// statements were accepted.
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the fuzzer finds the words itself")
)]
pub(crate) fn check_every_word(text: &str) -> usize {
    let mut accepted = 0;
    for word in words(text) {
        for form in forms(word) {
            accepted += usize::from(check_marked(text, word, &form));
        }
    }
    accepted
}

/// What stands in the place of a word: the marker alone, and with signs that end a name or a text.
fn forms(word: &str) -> [String; 7] {
    [
        MARKER.to_owned(),
        format!("'{MARKER}'"),
        format!("\"{MARKER}\""),
        format!("'{MARKER}\" union select {MARKER} from {MARKER} -- '"),
        format!("\"{MARKER}\"\" from {MARKER}\""),
        format!("{word} '{MARKER}\" {MARKER}'"),
        format!("{word} as \"{MARKER}\"\" {MARKER}\""),
    ]
}

/// Puts this in the place of a word wherever it stands. Gives whether the statement was accepted.
fn check_marked(text: &str, word: &str, form: &str) -> bool {
    let changed = text.replace(word, form);
    let Ok(texts) = sql::check(&changed) else {
        return false;
    };
    for text in texts {
        assert!(!text.to_lowercase().contains(MARKER), "{changed}: {text}");
    }
    true
}

/// The words of a statement, and of the texts in it.
fn words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| !word.is_empty()).collect()
}
