//! Which characters administrators may put into the texts of phones and lines, over whatever door.

/// The characters that a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRule {
    /// A description.
    Description,
    /// The text beside a line's button.
    Label,
    /// A display or alerting name, which other phones show.
    Display,
    /// An external phone number mask.
    Mask,
}

/// A text has characters that it may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", rule.says())]
pub struct ForbiddenCharacters {
    rule: TextRule,
}

impl TextRule {
    /// Whether `text` has no other characters. None may have control characters.
    ///
    /// # Errors
    ///
    /// [`ForbiddenCharacters`] says what is allowed, or what is not.
    pub fn check(self, text: &str) -> Result<(), ForbiddenCharacters> {
        let is_allowed = |c: char| !c.is_control() && self.allows(c);
        if text.chars().all(is_allowed) {
            Ok(())
        } else {
            Err(ForbiddenCharacters { rule: self })
        }
    }

    /// Source: CUCM, *Phone Configuration* and *Directory Number Configuration*.
    const fn allows(self, c: char) -> bool {
        match self {
            Self::Description => !matches!(c, '"' | '%' | '\\' | '&' | '<' | '>'),
            Self::Label => c != '"',
            Self::Display => {
                !matches!(c, ']' | '"' | '%' | '<' | '>' | '[' | '&' | '|' | '{' | '}')
            }
            Self::Mask => c.is_ascii_digit() || matches!(c, '*' | '#' | '+' | 'X' | 'x'),
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Description => "not allowed are \" % \\ & < >",
            Self::Label => "not allowed are \"",
            Self::Display => "not allowed are ] \" % < > [ & | { }",
            Self::Mask => "allowed are 0-9, *, #, + and X",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_names_the_characters_that_it_refuses() {
        for rule in [TextRule::Description, TextRule::Label, TextRule::Display] {
            for c in ' '..='~' {
                let error = rule.check(&format!("a{c}")).err();
                let is_named = rule
                    .says()
                    .split(' ')
                    .skip(3)
                    .any(|one| one == c.to_string());
                assert_eq!(error.is_some(), is_named, "{rule:?} {c}");
            }
            assert!(rule.check("Zoë 'O' Ünal").is_ok());
            assert!(rule.check("a\nb").is_err());
        }
        assert!(TextRule::Mask.check("+49 30").is_err());
        assert!(TextRule::Mask.check("+4930#*XXx").is_ok());
    }
}
