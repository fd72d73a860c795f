//! Which fields a parse remembers, and where it found them.
//!
//! A caller names paths of one message definition with [`captures!`](crate::captures) and gets a [`SlotId`] for each. The paths of
//! all definitions are compiled once into a [`CaptureSet`]; while the parser walks a document it follows the compiled paths
//! along with the schema and notes byte ranges. Nothing is copied: text is read from the document when a slot is asked for it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::message::{MessageKind, MessageType};
use crate::parse::content;
use crate::schema::{Model, TypeRef};

/// One field to remember, within the definition whose table declared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotId(u16);

/// The paths captured for one message definition.
///
/// A path is relative to the root element, local names separated by `/`; `@Ccy` at its end is an attribute; below an `xs:any`
/// any local name may stand. A version that lacks a path never fills its slot.
pub struct CaptureTable {
    /// The definition.
    pub kind: MessageKind,
    /// The paths; a slot's number is the position of its path.
    pub paths: &'static [&'static str],
}

/// Declares the fields to capture of one message definition.
///
/// ```
/// use torap_iso20022::captures;
///
/// captures! {
///     /// What the example reads of a pacs.008.
///     pub mod pacs_008 for MessageKind::Pacs008 {
///         MSG_ID = "FIToFICstmrCdtTrf/GrpHdr/MsgId",
///         AMOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt",
///         AMOUNT_CCY = "FIToFICstmrCdtTrf/CdtTrfTxInf/IntrBkSttlmAmt/@Ccy",
///         CREDITOR_ACCOUNT = "FIToFICstmrCdtTrf/CdtTrfTxInf/CdtrAcct",
///     }
/// }
///
/// assert!(pacs_008::TABLE.unknown_paths().is_empty());
/// ```
#[macro_export]
macro_rules! captures {
    ($(#[$meta:meta])* $vis:vis mod $module:ident for MessageKind::$kind:ident { $($slot:ident = $path:literal),* $(,)? }) => {
        $(#[$meta])*
        $vis mod $module {
            const PATHS: &[&str] = &[$($path),*];
            $(
                #[doc = concat!("`", $path, "`")]
                pub const $slot: $crate::capture::SlotId = $crate::capture::SlotId::of(PATHS, $path);
            )*
            /// The paths of this module, for [`CaptureSet::compile`]($crate::capture::CaptureSet::compile).
            pub static TABLE: $crate::capture::CaptureTable =
                $crate::capture::CaptureTable { kind: $crate::message::MessageKind::$kind, paths: PATHS };
        }
    };
}

impl SlotId {
    /// The slot of `path` in `paths`. Evaluated by the compiler in [`captures!`](crate::captures).
    ///
    /// # Panics
    /// When `paths` does not hold `path`.
    pub const fn of(paths: &[&str], path: &str) -> SlotId {
        let mut i = 0;
        while i < paths.len() {
            if is_same(paths[i].as_bytes(), path.as_bytes()) {
                return SlotId(i as u16);
            }
            i += 1;
        }
        panic!("no such path")
    }
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

impl CaptureTable {
    /// Path of a slot of this table; empty for a slot of another table.
    pub fn path(&self, slot: SlotId) -> &'static str {
        self.paths
            .get(usize::from(slot.0))
            .copied()
            .unwrap_or_default()
    }

    /// Paths that no version of the definition has: spelling mistakes.
    pub fn unknown_paths(&self) -> Vec<&'static str> {
        self.paths
            .iter()
            .copied()
            .filter(|path| {
                !self.kind.versions().any(|message| {
                    Plan::compile(message, &[path])
                        .nodes
                        .iter()
                        .any(|node| node.fills_any())
                })
            })
            .collect()
    }
}

impl fmt::Debug for CaptureTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.kind, self.paths)
    }
}

/// Capture tables compiled against the schemas; made once and shared by all parsers.
#[derive(Debug, Default)]
pub struct CaptureSet {
    /// By message type.
    plans: Vec<Plan>,
}

impl CaptureSet {
    /// A set that captures nothing.
    pub const EMPTY: CaptureSet = CaptureSet { plans: Vec::new() };

    /// Compiles the tables, at most one for each definition.
    ///
    /// # Panics
    /// When two tables are for one definition, or a table has more paths than [`CAPTURES_MAX`](crate::limits::CAPTURES_MAX):
    /// both are mistakes in the program, not in its input.
    pub fn compile(tables: &[&CaptureTable]) -> CaptureSet {
        for (i, table) in tables.iter().enumerate() {
            assert!(
                table.paths.len() <= crate::limits::CAPTURES_MAX,
                "{table:?}"
            );
            assert!(
                tables
                    .iter()
                    .skip(i + 1)
                    .all(|other| other.kind != table.kind),
                "{table:?}"
            );
        }
        let plans = MessageType::all()
            .map(|message| {
                tables
                    .iter()
                    .find(|table| table.kind == message.kind())
                    .map_or_else(Plan::default, |table| Plan::compile(message, table.paths))
            })
            .collect();
        CaptureSet { plans }
    }

    /// The plan for one message, if anything is captured of it.
    pub(crate) fn plan(&self, message: MessageType) -> &Plan {
        self.plans
            .get(usize::from(message.0))
            .unwrap_or(Plan::nothing())
    }
}

/// The paths of one message version as a trie over the positions of its schema.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// How many slots to provide.
    pub slots: usize,
    /// Node 0 means "nothing below here is captured", node 1 is the root element.
    nodes: Vec<Node>,
    /// Child nodes: a block for each node, indexed by particle.
    edges: Vec<u16>,
}

#[derive(Debug)]
struct Node {
    /// Slot of the element itself, or [`NO_SLOT`].
    slot: u16,
    /// Where this node's block of `edges` begins.
    edges: u32,
    /// Attributes captured of the element.
    attributes: Vec<(&'static str, u16)>,
    /// Children by local name, where the schema does not number them (below `xs:any`).
    open: Vec<(&'static str, u16)>,
    /// How many particles the element's type has.
    particles: usize,
}

/// The element is not captured.
pub(crate) const NO_SLOT: u16 = u16::MAX;
/// The node below which nothing is captured.
pub(crate) const NO_NODE: u16 = 0;
/// The node of the root element.
pub(crate) const ROOT_NODE: u16 = 1;

impl Node {
    fn new(ty: Option<TypeRef>, edges: &mut Vec<u16>) -> Node {
        let particles = match ty {
            Some(TypeRef::Complex(ty)) => ty.particles.len(),
            _ => 0,
        };
        let start = edges.len() as u32;
        edges.resize(edges.len() + particles, NO_NODE);
        Node {
            slot: NO_SLOT,
            edges: start,
            attributes: Vec::new(),
            open: Vec::new(),
            particles,
        }
    }

    fn fills_any(&self) -> bool {
        self.slot != NO_SLOT || !self.attributes.is_empty()
    }
}

impl Plan {
    /// The plan that captures nothing.
    pub(crate) fn nothing() -> &'static Plan {
        static NOTHING: Plan = Plan {
            slots: 0,
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        &NOTHING
    }

    fn compile(message: MessageType, paths: &[&'static str]) -> Plan {
        let mut plan = Plan {
            slots: paths.len(),
            nodes: Vec::new(),
            edges: Vec::new(),
        };
        let root = message.table().root.ty;
        plan.nodes.push(Node::new(None, &mut plan.edges));
        plan.nodes.push(Node::new(Some(root), &mut plan.edges));
        for (slot, path) in paths.iter().enumerate() {
            plan.add(root, path, slot as u16);
        }
        plan
    }

    fn add(&mut self, root: TypeRef, path: &'static str, slot: u16) {
        let mut node = usize::from(ROOT_NODE);
        let mut ty = Some(root);
        for step in path.split('/') {
            if let Some(attribute) = step.strip_prefix('@') {
                self.nodes[node].attributes.push((attribute, slot));
                return;
            }
            let Some((child, child_type)) = self.step(node, ty, step) else {
                return;
            };
            node = child;
            ty = child_type;
        }
        self.nodes[node].slot = slot;
    }

    /// The child of `node` for the element `name`, made if need be; `None` if the schema has no such element.
    fn step(
        &mut self,
        node: usize,
        ty: Option<TypeRef>,
        name: &'static str,
    ) -> Option<(usize, Option<TypeRef>)> {
        match ty {
            Some(TypeRef::Complex(ty)) if !matches!(ty.model, Model::Any(_)) => {
                let position = ty
                    .particles
                    .iter()
                    .position(|particle| particle.name == name)?;
                let particle = ty.particles.get(position)?;
                let edge = self.nodes[node].edges as usize + position;
                if self.edges[edge] == NO_NODE {
                    let made = Node::new(Some(particle.ty), &mut self.edges);
                    self.edges[edge] = self.nodes.len() as u16;
                    self.nodes.push(made);
                }
                Some((usize::from(self.edges[edge]), Some(particle.ty)))
            }
            Some(TypeRef::Complex(_)) | None => {
                let known = self.nodes[node].open.iter().find(|(open, _)| *open == name);
                let child = match known {
                    Some((_, child)) => usize::from(*child),
                    None => {
                        let made = Node::new(None, &mut self.edges);
                        let child = self.nodes.len();
                        self.nodes[node].open.push((name, child as u16));
                        self.nodes.push(made);
                        child
                    }
                };
                Some((child, None))
            }
            Some(TypeRef::Simple(_) | TypeRef::Attributed(_)) => None,
        }
    }

    /// The node of the child element at `particle` below `node`.
    #[inline]
    pub(crate) fn child(&self, node: u16, particle: usize) -> u16 {
        if node == NO_NODE {
            return NO_NODE;
        }
        let Some(parent) = self.nodes.get(usize::from(node)) else {
            return NO_NODE;
        };
        if particle >= parent.particles {
            return NO_NODE;
        }
        self.edges
            .get(parent.edges as usize + particle)
            .copied()
            .unwrap_or(NO_NODE)
    }

    /// The node of a child element that the schema does not number.
    pub(crate) fn open_child(&self, node: u16, name: &[u8]) -> u16 {
        if node == NO_NODE {
            return NO_NODE;
        }
        self.nodes
            .get(usize::from(node))
            .and_then(|parent| parent.open.iter().find(|(open, _)| open.as_bytes() == name))
            .map_or(NO_NODE, |(_, child)| *child)
    }

    /// The slot of an element.
    #[inline]
    pub(crate) fn slot(&self, node: u16) -> u16 {
        if node == NO_NODE {
            return NO_SLOT;
        }
        self.nodes
            .get(usize::from(node))
            .map_or(NO_SLOT, |node| node.slot)
    }

    /// The slot of an attribute of an element.
    pub(crate) fn attribute_slot(&self, node: u16, name: &[u8]) -> u16 {
        if node == NO_NODE {
            return NO_SLOT;
        }
        self.nodes
            .get(usize::from(node))
            .and_then(|node| {
                node.attributes
                    .iter()
                    .find(|(attribute, _)| attribute.as_bytes() == name)
            })
            .map_or(NO_SLOT, |(_, slot)| *slot)
    }
}

/// Where one captured field was found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot {
    /// How often it occurred; the ranges are the first occurrence's.
    pub count: u32,
    /// From `<` of the start tag to past `>` of the end tag.
    pub element: (u32, u32),
    /// Between the tags, or the attribute's value; without the blanks around it where the type collapses them.
    pub content: (u32, u32),
    /// Whether the content holds references, CDATA, comments or line ends to be resolved.
    pub has_escapes: bool,
    /// Whether the type collapses the blanks around the value.
    pub is_trimmed: bool,
    /// Whether it is an attribute's value.
    pub is_attribute: bool,
    /// Position of the next occurrence among the slots, 0 if there is none.
    pub next: u32,
    /// In a first occurrence: position of the last one.
    pub last: u32,
}

/// The captured fields of one header or document.
#[derive(Clone, Copy)]
pub struct Slots<'p, 'a> {
    /// The whole input.
    pub(crate) input: &'a str,
    pub(crate) slots: &'p [Slot],
}

impl<'p, 'a> Slots<'p, 'a> {
    /// The text of the field: references, CDATA sections, comments and line ends resolved, and without the blanks around it where
    /// the XSD type collapses them (decimal, boolean, date). `None` when the field is absent.
    pub fn text(&self, slot: SlotId) -> Option<Cow<'a, str>> {
        text(self.input, self.found(slot)?)
    }

    /// The bytes of the field as they came: between the tags, or between the quotes of the attribute.
    pub fn raw(&self, slot: SlotId) -> Option<&'a [u8]> {
        self.input.as_bytes().get(self.content_range(slot)?)
    }

    /// Whether [`Slots::raw`] differs from [`Slots::text`].
    pub fn has_escapes(&self, slot: SlotId) -> bool {
        self.found(slot).is_some_and(|found| found.has_escapes)
    }

    /// How often the path occurred; everything else is about its first occurrence.
    pub fn count(&self, slot: SlotId) -> u32 {
        self.found(slot).map_or(0, |found| found.count)
    }

    /// Whether the path occurred.
    pub fn is_present(&self, slot: SlotId) -> bool {
        self.found(slot).is_some()
    }

    /// Bytes of the whole element in the input, from `<` of its start tag to past `>` of its end tag; for an attribute, those of
    /// its value.
    pub fn element_range(&self, slot: SlotId) -> Option<Range<usize>> {
        self.found(slot).map(|found| range(found.element))
    }

    /// Bytes between the tags, or of the attribute's value.
    pub fn content_range(&self, slot: SlotId) -> Option<Range<usize>> {
        self.found(slot).map(|found| range(found.content))
    }

    /// Text of the field if it needs no decoding; `None` when it is absent or has escapes.
    #[inline]
    pub fn plain(&self, slot: SlotId) -> Option<&'a str> {
        plain(self.input, self.found(slot)?)
    }

    /// Every occurrence in document order, the first [`OCCURRENCES_MAX`](crate::limits::OCCURRENCES_MAX) repetitions of the document.
    pub fn occurrences(&self, slot: SlotId) -> impl Iterator<Item = Occurrence<'a>> + use<'_, 'a> {
        let mut next = self.found(slot);
        let slots = *self;
        std::iter::from_fn(move || {
            let found = next?;
            next = slots
                .slots
                .get(found.next as usize)
                .filter(|_| found.next > 0);
            Some(Occurrence {
                input: slots.input,
                element: range(found.element),
                content: range(found.content),
                found: *found,
            })
        })
    }

    fn found(&self, slot: SlotId) -> Option<&'p Slot> {
        self.slots
            .get(usize::from(slot.0))
            .filter(|found| found.count > 0)
    }
}

/// One occurrence of a captured field.
#[derive(Debug, Clone)]
pub struct Occurrence<'a> {
    /// Bytes of the whole element in the input.
    pub element: Range<usize>,
    /// Bytes between its tags.
    pub content: Range<usize>,
    input: &'a str,
    found: Slot,
}

impl<'a> Occurrence<'a> {
    /// As [`Slots::text`].
    pub fn text(&self) -> Cow<'a, str> {
        text(self.input, &self.found).unwrap_or_default()
    }

    /// As [`Slots::plain`].
    pub fn plain(&self) -> Option<&'a str> {
        plain(self.input, &self.found)
    }
}

fn text<'a>(input: &'a str, found: &Slot) -> Option<Cow<'a, str>> {
    if found.has_escapes {
        let raw = input.as_bytes().get(range(found.content))?;
        let text = content::resolve(raw, found.is_attribute);
        let blanks = [' ', '\t', '\n', '\r'];
        return Some(Cow::Owned(if found.is_trimmed {
            text.trim_matches(blanks).to_owned()
        } else {
            text
        }));
    }
    plain(input, found).map(Cow::Borrowed)
}

#[inline]
fn plain<'a>(input: &'a str, found: &Slot) -> Option<&'a str> {
    if found.has_escapes {
        return None;
    }
    input.get(range(found.content))
}

impl fmt::Debug for Slots<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.slots.iter().filter(|slot| slot.count > 0))
            .finish()
    }
}

fn range((start, end): (u32, u32)) -> Range<usize> {
    start as usize..end as usize
}
