//! Keys opened before, by their key block: opening one costs a hundred times as much as using it.

use std::collections::HashMap;
use std::rc::Rc;

/// Keys that are kept open; the one unused for longest is dropped for a new one.
pub(crate) const KEYS_CACHED_MAX: usize = 256;

/// Least recently used first out. Two texts that differ in one character are two keys.
pub(crate) struct KeyCache<T> {
    entries: HashMap<Box<str>, Entry<T>>,
    uses: u64,
    entries_max: usize,
}

struct Entry<T> {
    value: Rc<T>,
    used: u64,
}

impl<T> KeyCache<T> {
    pub(crate) fn new(entries_max: usize) -> KeyCache<T> {
        KeyCache {
            entries: HashMap::new(),
            uses: 0,
            entries_max: entries_max.max(1),
        }
    }

    pub(crate) fn get(&mut self, block: &str) -> Option<Rc<T>> {
        self.uses += 1;
        let entry = self.entries.get_mut(block)?;
        entry.used = self.uses;
        Some(Rc::clone(&entry.value))
    }

    pub(crate) fn insert(&mut self, block: &str, value: Rc<T>) {
        self.uses += 1;
        if self.entries.len() >= self.entries_max && !self.entries.contains_key(block) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used);
            if let Some(oldest) = oldest.map(|(block, _)| block.clone()) {
                self.entries.remove(&oldest);
            }
        }
        let used = self.uses;
        self.entries.insert(block.into(), Entry { value, used });
    }

    /// Forgets a key whose use has failed: it may be the vault's handle that is broken.
    pub(crate) fn remove(&mut self, block: &str) {
        self.entries.remove(block);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_unused_for_longest_goes_first() {
        let mut cache = KeyCache::new(2);
        cache.insert("a", Rc::new(1));
        cache.insert("b", Rc::new(2));
        assert_eq!(cache.get("a").as_deref(), Some(&1));
        cache.insert("c", Rc::new(3));
        assert_eq!(cache.get("b"), None);
        assert_eq!(cache.get("a").as_deref(), Some(&1));
        assert_eq!(cache.get("c").as_deref(), Some(&3));
        cache.insert("a", Rc::new(4));
        assert_eq!(cache.len(), 2);
        cache.remove("a");
        assert_eq!(cache.get("a"), None);
    }
}
