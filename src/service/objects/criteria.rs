//! Which objects a list wants.

use crate::domain::schema::Record;

/// Patterns for elements of an object, all of which it must fit. `%` stands for any characters,
/// case does not count, and what an object has not fits `%` alone.
///
/// Source: AXL Developer Guide, *listPhone* and the like: `searchCriteria`.
#[derive(Debug, Clone, Default)]
pub struct Criteria(Vec<(&'static str, Pattern)>);

#[derive(Debug, Clone)]
struct Pattern {
    /// What stands between the `%`, folded; one piece: no `%`.
    pieces: Vec<String>,
}

impl Criteria {
    /// No object need fit anything.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Demands that an element fits a pattern; an empty one demands nothing.
    pub fn demand(&mut self, element: &'static str, pattern: &str) {
        if !pattern.is_empty() {
            let pieces = pattern.split('%').map(str::to_lowercase).collect();
            self.0.push((element, Pattern { pieces }));
        }
    }

    /// Whether an element fits; one of which nothing is demanded does.
    pub fn fits(&self, element: &str, text: &str) -> bool {
        let mut demands = self.0.iter().filter(|(name, _)| *name == element);
        demands.all(|(_, pattern)| pattern.fits(text))
    }

    /// Whether all the elements demanded fit a record; what is not there counts as empty.
    pub fn fit(&self, record: &Record) -> bool {
        self.0
            .iter()
            .all(|(name, pattern)| pattern.fits(record.text(name).unwrap_or_default()))
    }

    /// What must stand in an element in this order, in small letters; the first piece begins it, the
    /// last ends it. `None`: anything fits.
    pub(super) fn pieces(&self, element: &str) -> Option<&[String]> {
        let mut demands = self.0.iter();
        let (_, pattern) = demands.find(|(name, _)| *name == element)?;
        let is_demand = pattern.pieces.len() == 1 || pattern.pieces.iter().any(|it| !it.is_empty());
        is_demand.then_some(&*pattern.pieces)
    }

    /// The one text that fits an element, in small letters; `None` when several fit.
    pub fn exact(&self, element: &str) -> Option<&str> {
        self.0
            .iter()
            .filter(|(name, _)| *name == element)
            .find_map(|(_, pattern)| match pattern.pieces.as_slice() {
                [only] => Some(only.as_str()),
                _ => None,
            })
    }

    /// The elements of which something is demanded.
    pub fn elements(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let Some((first, others)) = self.pieces.split_first() else {
            return true;
        };
        let Some((last, middle)) = others.split_last() else {
            return text == *first;
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        // The earliest place for each piece leaves the most room for the others.
        for piece in middle {
            let Some((_, after)) = rest.split_once(piece.as_str()) else {
                return false;
            };
            rest = after;
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, text: &str) -> bool {
        let mut criteria = Criteria::none();
        criteria.demand("name", pattern);
        criteria.fits("name", text)
    }

    #[test]
    fn patterns_fit_like_sql_s() {
        for (pattern, text) in [
            ("%", ""),
            ("%", "a"),
            ("", "a"),
            ("SEP%", "sep0011"),
            ("%11", "SEP0011"),
            ("%0%1", "SEP0011"),
            ("a%b%c", "aXbXbXc"),
            ("Straße", "STRAßE"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("a", ""),
            ("SEP", "SEP0011"),
            ("%12", "SEP0011"),
            ("a%a", "a"),
            ("a%b%b", "ab"),
            ("_", "a"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
        assert!(fits("x", "x") && Criteria::none().fits("name", "x"));
    }
}
