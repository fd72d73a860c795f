//! The repeated parameters of an event.

use std::borrow::Cow;

/// Most parameters an event notice has under the national profile.
pub const EVENT_PARAMETERS_MAX: usize = 8;

/// Up to [`EVENT_PARAMETERS_MAX`] parameters, each at most 35 characters, held without allocation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters<'a> {
    items: [Cow<'a, str>; EVENT_PARAMETERS_MAX],
    length: usize,
}

impl<'a> Parameters<'a> {
    /// The parameters given; `None` if there are more than [`EVENT_PARAMETERS_MAX`].
    pub fn from_slice(items: &[&'a str]) -> Option<Parameters<'a>> {
        let mut parameters = Parameters::default();
        for item in items {
            parameters.push(Cow::Borrowed(item))?;
        }
        Some(parameters)
    }

    /// Adds one; `None` if the list is full.
    pub fn push(&mut self, item: Cow<'a, str>) -> Option<()> {
        *self.items.get_mut(self.length)? = item;
        self.length += 1;
        Some(())
    }

    /// The parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.items.iter().take(self.length).map(|item| &**item)
    }
}
