//! Compiles the `pattern` facets of the XSDs to deterministic automata.
//!
//! Of the regular expressions of XML Schema part 2, appendix F, this reads what ISO 20022 uses: literals, classes with ranges,
//! escapes of single characters, groups, alternatives and quantifiers, over printable Basic Latin. Anything else is an error.

use std::collections::{BTreeMap, BTreeSet};

/// A deterministic automaton: state 0 is dead, state 1 is the start.
#[derive(Debug)]
pub(super) struct Dfa {
    /// Class of each byte.
    pub classes: [u8; 256],
    /// Next state by state and class.
    pub next: Vec<[u8; CLASSES_MAX]>,
    pub accepting: Vec<bool>,
}

/// Most byte classes that a table row has room for.
pub(super) const CLASSES_MAX: usize = 16;

/// Most repetitions a quantifier may ask for.
const REPEAT_MAX: u32 = 1_000;

#[derive(Debug, Clone)]
enum Expression {
    Class(BTreeSet<u8>),
    Sequence(Vec<Expression>),
    Alternatives(Vec<Expression>),
    /// At least, and at most if bounded.
    Repeat(Box<Expression>, u32, Option<u32>),
}

/// Compiles one pattern.
pub(super) fn compile(pattern: &str) -> Result<Dfa, String> {
    let mut parser = Parser {
        rest: pattern.as_bytes(),
    };
    let expression = parser
        .alternatives()
        .map_err(|error| format!("pattern {pattern}: {error}"))?;
    if !parser.rest.is_empty() {
        return Err(format!("pattern {pattern}: unbalanced parenthesis"));
    }
    let mut nfa = Nfa::default();
    let start = nfa.state();
    let end = nfa.fragment(&expression, start);
    minimal(&nfa, start, end).map_err(|error| format!("pattern {pattern}: {error}"))
}

struct Parser<'a> {
    rest: &'a [u8],
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Expression, String> {
        let mut branches = vec![self.sequence()?];
        while self.accept(b'|') {
            branches.push(self.sequence()?);
        }
        Ok(Expression::Alternatives(branches))
    }

    fn sequence(&mut self) -> Result<Expression, String> {
        let mut parts = Vec::new();
        while let Some(&byte) = self.rest.first() {
            if byte == b'|' || byte == b')' {
                break;
            }
            let atom = self.atom()?;
            parts.push(self.quantified(atom)?);
        }
        Ok(Expression::Sequence(parts))
    }

    fn atom(&mut self) -> Result<Expression, String> {
        match self.take()? {
            b'(' => {
                let inner = self.alternatives()?;
                if !self.accept(b')') {
                    return Err("unbalanced parenthesis".to_owned());
                }
                Ok(inner)
            }
            b'[' => Ok(Expression::Class(self.class()?)),
            b'\\' => Ok(Expression::Class(BTreeSet::from([self.escaped()?]))),
            byte @ (b'.' | b'?' | b'*' | b'+' | b'{' | b'}' | b']' | b'^' | b'$') => {
                Err(format!("{} is not supported here", char::from(byte)))
            }
            byte => Ok(Expression::Class(BTreeSet::from([byte]))),
        }
    }

    fn class(&mut self) -> Result<BTreeSet<u8>, String> {
        let mut bytes = BTreeSet::new();
        loop {
            let first = match self.take()? {
                b']' => {
                    return if bytes.is_empty() {
                        Err("empty class".to_owned())
                    } else {
                        Ok(bytes)
                    };
                }
                b'\\' => self.escaped()?,
                byte @ (b'[' | b'^' | b'-') => {
                    return Err(format!("{} in a class is not supported", char::from(byte)));
                }
                byte => byte,
            };
            let last = if self.rest.first() == Some(&b'-') && self.rest.get(1) != Some(&b']') {
                self.take()?;
                match self.take()? {
                    b'\\' => self.escaped()?,
                    byte => byte,
                }
            } else {
                first
            };
            if last < first {
                return Err("range upside down".to_owned());
            }
            bytes.extend(first..=last);
        }
    }

    fn escaped(&mut self) -> Result<u8, String> {
        match self.take()? {
            byte if byte.is_ascii_punctuation() => Ok(byte),
            byte => Err(format!("\\{} is not supported", char::from(byte))),
        }
    }

    fn quantified(&mut self, atom: Expression) -> Result<Expression, String> {
        let (min, max) = match self.rest.first() {
            Some(b'?') => (0, Some(1)),
            Some(b'*') => (0, None),
            Some(b'+') => (1, None),
            Some(b'{') => {
                let end = self
                    .rest
                    .iter()
                    .position(|&byte| byte == b'}')
                    .ok_or("unclosed quantifier")?;
                let bounds =
                    std::str::from_utf8(&self.rest[1..end]).map_err(|error| error.to_string())?;
                let (min, max) = match bounds.split_once(',') {
                    None => (number(bounds)?, Some(number(bounds)?)),
                    Some((min, "")) => (number(min)?, None),
                    Some((min, max)) => (number(min)?, Some(number(max)?)),
                };
                self.rest = &self.rest[end..];
                (min, max)
            }
            _ => return Ok(atom),
        };
        self.rest = &self.rest[1..];
        if max.is_some_and(|max| max < min) {
            return Err("quantifier upside down".to_owned());
        }
        Ok(Expression::Repeat(Box::new(atom), min, max))
    }

    fn accept(&mut self, wanted: u8) -> bool {
        let is_next = self.rest.first() == Some(&wanted);
        if is_next {
            self.rest = &self.rest[1..];
        }
        is_next
    }

    fn take(&mut self) -> Result<u8, String> {
        let (&byte, rest) = self.rest.split_first().ok_or("ends too early")?;
        if !(b' '..=b'~').contains(&byte) {
            return Err("only printable Basic Latin is supported".to_owned());
        }
        self.rest = rest;
        Ok(byte)
    }
}

fn number(text: &str) -> Result<u32, String> {
    match text.parse() {
        Ok(number) if number <= REPEAT_MAX => Ok(number),
        _ => Err(format!("quantifier {text}")),
    }
}

/// A nondeterministic automaton with empty moves.
#[derive(Debug, Default)]
struct Nfa {
    empty_moves: Vec<BTreeSet<usize>>,
    moves: Vec<Vec<(BTreeSet<u8>, usize)>>,
}

impl Nfa {
    fn state(&mut self) -> usize {
        self.empty_moves.push(BTreeSet::new());
        self.moves.push(Vec::new());
        self.moves.len() - 1
    }

    /// Adds the expression from `start` on and gives the state at its end.
    fn fragment(&mut self, expression: &Expression, start: usize) -> usize {
        match expression {
            Expression::Class(bytes) => {
                let end = self.state();
                self.moves[start].push((bytes.clone(), end));
                end
            }
            Expression::Sequence(parts) => parts
                .iter()
                .fold(start, |state, part| self.fragment(part, state)),
            Expression::Alternatives(branches) => {
                let end = self.state();
                for branch in branches {
                    let begin = self.state();
                    self.empty_moves[start].insert(begin);
                    let last = self.fragment(branch, begin);
                    self.empty_moves[last].insert(end);
                }
                end
            }
            Expression::Repeat(inner, min, max) => {
                let mut state = start;
                for _ in 0..*min {
                    state = self.fragment(inner, state);
                }
                let end = self.state();
                self.empty_moves[state].insert(end);
                match max {
                    Some(max) => {
                        for _ in *min..*max {
                            state = self.fragment(inner, state);
                            self.empty_moves[state].insert(end);
                        }
                    }
                    None => {
                        let begin = self.state();
                        self.empty_moves[state].insert(begin);
                        let last = self.fragment(inner, begin);
                        self.empty_moves[last].insert(begin);
                        self.empty_moves[last].insert(end);
                    }
                }
                end
            }
        }
    }

    fn closure(&self, mut states: BTreeSet<usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = states.iter().copied().collect();
        while let Some(state) = open.pop() {
            for &next in &self.empty_moves[state] {
                if states.insert(next) {
                    open.push(next);
                }
            }
        }
        states
    }

    fn step(&self, states: &BTreeSet<usize>, byte: u8) -> BTreeSet<usize> {
        let reached = states
            .iter()
            .flat_map(|&state| &self.moves[state])
            .filter(|(bytes, _)| bytes.contains(&byte))
            .map(|&(_, next)| next)
            .collect();
        self.closure(reached)
    }
}

/// The subset construction, then Moore's partition refinement, then byte classes.
fn minimal(nfa: &Nfa, start: usize, end: usize) -> Result<Dfa, String> {
    let first = nfa.closure(BTreeSet::from([start]));
    let mut numbers = BTreeMap::from([(BTreeSet::new(), 0usize), (first.clone(), 1)]);
    let mut sets = vec![BTreeSet::new(), first];
    let mut next: Vec<Vec<usize>> = Vec::new();
    while next.len() < sets.len() {
        let set = sets[next.len()].clone();
        let row = (0..=255u8)
            .map(|byte| {
                let reached = nfa.step(&set, byte);
                *numbers.entry(reached.clone()).or_insert_with(|| {
                    sets.push(reached);
                    sets.len() - 1
                })
            })
            .collect();
        next.push(row);
    }
    let accepting: Vec<bool> = sets.iter().map(|set| set.contains(&end)).collect();
    let blocks = refine(&next, &accepting);
    number_states(&next, &accepting, &blocks)
}

/// For each state the number of the block of states that it cannot be told apart from.
fn refine(next: &[Vec<usize>], accepting: &[bool]) -> Vec<usize> {
    let mut blocks: Vec<usize> = accepting
        .iter()
        .map(|&accepts| usize::from(accepts))
        .collect();
    loop {
        let mut seen = BTreeMap::new();
        let refined: Vec<usize> = (0..next.len())
            .map(|state| {
                let signature = (
                    blocks[state],
                    next[state].iter().map(|&to| blocks[to]).collect::<Vec<_>>(),
                );
                let fresh = seen.len();
                *seen.entry(signature).or_insert(fresh)
            })
            .collect();
        let is_stable = seen.len() == blocks.iter().collect::<BTreeSet<_>>().len();
        blocks = refined;
        if is_stable {
            return blocks;
        }
    }
}

fn number_states(next: &[Vec<usize>], accepting: &[bool], blocks: &[usize]) -> Result<Dfa, String> {
    // State 0 of the subset construction is the empty set, state 1 the start; the blocks keep those two numbers.
    let mut order = vec![blocks[0], blocks[1]];
    if order[0] == order[1] {
        return Err("matches nothing".to_owned());
    }
    for block in blocks {
        if !order.contains(block) {
            order.push(*block);
        }
    }
    let number = |block: usize| {
        order
            .iter()
            .position(|&other| other == block)
            .unwrap_or_default()
    };
    if order.len() > 256 {
        return Err("too many states".to_owned());
    }
    let representatives: Vec<usize> = order
        .iter()
        .map(|block| {
            blocks
                .iter()
                .position(|other| other == block)
                .unwrap_or_default()
        })
        .collect();
    let mut columns: Vec<Vec<u8>> = Vec::new();
    let mut classes = [0u8; 256];
    for byte in 0..256 {
        let column: Vec<u8> = representatives
            .iter()
            .map(|&state| number(blocks[next[state][byte]]) as u8)
            .collect();
        let class = columns
            .iter()
            .position(|other| *other == column)
            .unwrap_or_else(|| {
                columns.push(column);
                columns.len() - 1
            });
        classes[byte] = class as u8;
    }
    if columns.len() > CLASSES_MAX {
        return Err("too many byte classes".to_owned());
    }
    let rows = (0..order.len())
        .map(|state| {
            let mut row = [0u8; CLASSES_MAX];
            for (class, column) in columns.iter().enumerate() {
                row[class] = column[state];
            }
            row
        })
        .collect();
    Ok(Dfa {
        classes,
        next: rows,
        accepting: representatives
            .iter()
            .map(|&state| accepting[state])
            .collect(),
    })
}
