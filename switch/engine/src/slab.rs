//! Items in pages whose free slots are used again, so that a steady number of them allocates nothing and nothing ever moves.
//!
//! Slot numbers are never stored or shown: what is written of the items is in an order of their own.

const PAGE_ITEMS: usize = 256;

/// Items by slot.
#[derive(Clone, Debug)]
pub(crate) struct Slab<T> {
    pages: Vec<Vec<Option<T>>>,
    free: Vec<u32>,
    count: usize,
}

impl<T> Slab<T> {
    pub(crate) fn new() -> Slab<T> {
        Slab {
            pages: Vec::new(),
            free: Vec::new(),
            count: 0,
        }
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&T> {
        let slot = slot as usize;
        let page = self.pages.get(slot / PAGE_ITEMS)?;
        page.get(slot % PAGE_ITEMS)?.as_ref()
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut T> {
        self.place(slot)?.as_mut()
    }

    /// Adds an item, which is found at the slot given back.
    pub(crate) fn insert(&mut self, item: T) -> u32 {
        let slot = self.free_slot();
        if let Some(place) = self.place(slot) {
            *place = Some(item);
            self.count = self.count.saturating_add(1);
        }
        slot
    }

    /// Takes an item out.
    pub(crate) fn remove(&mut self, slot: u32) -> Option<T> {
        let item = self.place(slot)?.take()?;
        self.count = self.count.saturating_sub(1);
        self.free.push(slot);
        Some(item)
    }

    /// Every item with its slot, in no order that means anything.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..)
            .zip(self.pages.iter().flatten())
            .filter_map(|(slot, item)| item.as_ref().map(|item| (slot, item)))
    }

    fn free_slot(&mut self) -> u32 {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        let full = self
            .pages
            .last()
            .is_none_or(|page| page.len() >= PAGE_ITEMS);
        if full {
            self.pages.push(Vec::with_capacity(PAGE_ITEMS));
        }
        let whole = self
            .pages
            .len()
            .saturating_sub(1)
            .saturating_mul(PAGE_ITEMS);
        let Some(page) = self.pages.last_mut() else {
            return 0;
        };
        let slot = whole.saturating_add(page.len());
        page.push(None);
        // Every bound on items is far below 2³².
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    fn place(&mut self, slot: u32) -> Option<&mut Option<T>> {
        let slot = slot as usize;
        let page = self.pages.get_mut(slot / PAGE_ITEMS)?;
        page.get_mut(slot % PAGE_ITEMS)
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn free_slots_are_used_again() {
        let mut slab = Slab::new();
        let slots: Vec<u32> = (0..1000).map(|item| slab.insert(item)).collect();
        assert_eq!(slab.len(), 1000);
        assert_eq!(slab.remove(slots[300]), Some(300));
        assert_eq!(slab.remove(slots[300]), None);
        assert_eq!(slab.get(slots[300]), None);
        assert_eq!(slab.insert(7), slots[300]);
        assert_eq!(slab.get(slots[300]), Some(&7));
        *slab.get_mut(slots[999]).unwrap() = 8;
        let sum: usize = slab.iter().map(|(_, item)| item).sum();
        assert_eq!(sum, 499_500 - 300 + 7 - 999 + 8);
    }
}
