//! A list that nearly always has one entry: the devices of a number, the bindings of a device.

/// One entry in place, or several; never none.
///
/// A site has tens of thousands of such lists: each of them in memory of its own would cost it
/// several MB.
#[derive(Debug, Clone)]
pub(super) enum OneOrMany<T> {
    One(T),
    #[expect(
        clippy::box_collection,
        reason = "the usual list shall not be as large as this one"
    )]
    Many(Box<Vec<T>>),
}

impl<T> OneOrMany<T> {
    pub(super) fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::One(one) => std::slice::from_mut(one),
            Self::Many(many) => many,
        }
    }

    /// Adds an entry at the end.
    pub(super) fn push(&mut self, entry: T) {
        let mut entries = std::mem::replace(self, Self::Many(Box::default())).into_vec();
        entries.push(entry);
        *self = Self::Many(entries.into());
    }

    /// The list without the entries that `is_gone` names; `None` when nothing is left.
    pub(super) fn without(self, mut is_gone: impl FnMut(&T) -> bool) -> Option<Self> {
        let mut left = self.into_vec();
        left.retain(|entry| !is_gone(entry));
        let last = left.pop()?;
        if left.is_empty() {
            return Some(Self::One(last));
        }
        left.push(last);
        Some(Self::Many(left.into()))
    }

    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => *many,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_and_go_until_none_is_left() {
        let mut list = OneOrMany::One(1);
        list.push(2);
        list.push(3);
        assert_eq!(list.as_slice(), [1, 2, 3]);
        let list = list.without(|entry| *entry == 2).unwrap();
        assert_eq!(list.as_slice(), [1, 3]);
        let mut list = list.without(|entry| *entry == 1).unwrap();
        assert!(matches!(list, OneOrMany::One(3)));
        list.as_mut_slice()[0] = 4;
        assert_eq!(list.as_slice(), [4]);
        assert!(list.without(|entry| *entry == 4).is_none());
    }
}
