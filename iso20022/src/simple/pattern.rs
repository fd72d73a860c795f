//! Patterns, compiled to deterministic automata by `cargo xtask codegen`.

/// A deterministic automaton over bytes. State 0 is dead, state 1 is the start.
#[derive(Debug)]
pub struct Dfa {
    /// Which of at most sixteen classes each byte belongs to.
    pub(crate) classes: &'static [u8; 256],
    /// For each state the next state by class.
    pub(crate) next: &'static [[u8; 16]],
    /// For each state whether a text may end there.
    pub(crate) accepting: &'static [bool],
}

impl Dfa {
    /// Whether the whole text matches.
    #[inline]
    pub fn accepts(&self, text: &[u8]) -> bool {
        let mut state = 1u8;
        for &byte in text {
            let class = self.classes[usize::from(byte)] & 15;
            let Some(row) = self.next.get(usize::from(state)) else {
                return false;
            };
            state = row[usize::from(class)];
        }
        self.accepting
            .get(usize::from(state))
            .copied()
            .unwrap_or(false)
    }
}
