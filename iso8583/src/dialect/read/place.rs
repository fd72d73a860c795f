//! A value in a TOML file together with its path, so that everything wrong is refused by its path.

use std::fmt;

use toml::{Table, Value};

/// What is wrong with a dialect's file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableError {
    /// Path of the key, such as `fields.rows[12].length`; for text that is no TOML, the line.
    pub path: String,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

impl std::error::Error for TableError {}

/// A value and its path.
#[derive(Clone)]
pub(super) struct Place<'v> {
    path: String,
    value: &'v Value,
}

/// A table whose keys are all expected.
#[derive(Clone)]
pub(super) struct Keys<'v> {
    path: String,
    table: &'v Table,
}

impl<'v> Place<'v> {
    pub(super) fn wrong<T>(&self, what: impl Into<String>) -> Result<T, TableError> {
        wrong(&self.path, what)
    }

    pub(super) fn text(&self) -> Result<&'v str, TableError> {
        match self.value.as_str() {
            Some(text) => Ok(text),
            None => self.wrong("a text is expected"),
        }
    }

    pub(super) fn number(&self, least: i64, most: i64) -> Result<i64, TableError> {
        match self.value.as_integer() {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => self.wrong(format!("a number from {least} to {most} is expected")),
        }
    }

    pub(super) fn truth(&self) -> Result<bool, TableError> {
        match self.value.as_bool() {
            Some(truth) => Ok(truth),
            None => self.wrong("true or false is expected"),
        }
    }

    pub(super) fn list(&self) -> Result<Vec<Place<'v>>, TableError> {
        let Some(values) = self.value.as_array() else {
            return self.wrong("a list is expected");
        };
        let place = |(i, value)| Place {
            path: format!("{}[{i}]", self.path),
            value,
        };
        Ok(values.iter().enumerate().map(place).collect())
    }

    /// A table with these keys and no others.
    pub(super) fn keys(&self, allowed: &[&str]) -> Result<Keys<'v>, TableError> {
        let keys = self.any_keys()?;
        for key in keys.table.keys() {
            if !allowed.contains(&key.as_str()) {
                return wrong(
                    &keys.path_of(key),
                    format!("unknown key; there are {}", allowed.join(", ")),
                );
            }
        }
        Ok(keys)
    }

    /// A table with keys of the writer's choice.
    pub(super) fn any_keys(&self) -> Result<Keys<'v>, TableError> {
        match self.value.as_table() {
            Some(table) => Ok(Keys {
                path: self.path.clone(),
                table,
            }),
            None => self.wrong("a table is expected"),
        }
    }

    /// The value by its name.
    pub(super) fn one_of<T: Copy>(&self, names: &[(&str, T)]) -> Result<T, TableError> {
        let text = self.text()?;
        match names.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Ok(*value),
            None => {
                let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
                self.wrong(format!("`{text}` is none of {}", names.join(", ")))
            }
        }
    }
}

impl<'v> Keys<'v> {
    pub(super) fn root(table: &'v Table, allowed: &[&str]) -> Result<Keys<'v>, TableError> {
        for key in table.keys() {
            if !allowed.contains(&key.as_str()) {
                return wrong(
                    key,
                    format!("unknown key; there are {}", allowed.join(", ")),
                );
            }
        }
        Ok(Keys {
            path: String::new(),
            table,
        })
    }

    fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<Place<'v>> {
        let value = self.table.get(key)?;
        Some(Place {
            path: self.path_of(key),
            value,
        })
    }

    pub(super) fn need(&self, key: &str) -> Result<Place<'v>, TableError> {
        match self.get(key) {
            Some(place) => Ok(place),
            None => wrong(&self.path_of(key), "is missing"),
        }
    }

    /// All keys with their values.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'v str, Place<'v>)> {
        let place = |(key, value): (&'v String, &'v Value)| {
            (
                key.as_str(),
                Place {
                    path: self.path_of(key),
                    value,
                },
            )
        };
        self.table.iter().map(place)
    }

    /// Something wrong with the table as a whole.
    pub(super) fn wrong<T>(&self, what: impl Into<String>) -> Result<T, TableError> {
        wrong(&self.path, what)
    }
}

pub(super) fn wrong<T>(path: &str, what: impl Into<String>) -> Result<T, TableError> {
    Err(TableError {
        path: path.to_owned(),
        what: what.into(),
    })
}
