//! Valid documents from the tables: every particle present and absent, every branch of every choice, the edges of every facet.

use std::collections::BTreeMap;

use torap_iso20022::MessageType;
use torap_iso20022::schema::{ComplexType, Model, TypeRef};

use crate::random::Random;
use crate::{spellings, values};

/// An element of a document to be written.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// Local name.
    pub name: String,
    pub attributes: Vec<(String, String)>,
    pub content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Elements(Vec<Element>),
    Text(String),
    /// Written as it stands.
    Raw(String),
}

/// A document: its root element, and the namespace of all names that declare no other.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    pub message: MessageType,
    pub root: Element,
}

/// What has been generated so far, so that the next document holds something else.
#[derive(Debug, Default)]
pub(crate) struct Coverage {
    /// How often each particle was taken, by type and position.
    taken: BTreeMap<(usize, usize), usize>,
    /// How often each value list was drawn from, by type.
    drawn: BTreeMap<usize, usize>,
}

/// Documents of one message at most.
const DOCUMENTS_MAX: usize = 60;
/// Elements of one document, roughly.
const ELEMENTS_MAX: usize = 120;

/// Documents that together take every particle and leave every optional one out.
pub(crate) fn generate(
    message: MessageType,
    coverage: &mut Coverage,
    random: &mut Random,
) -> Vec<Document> {
    let mut documents = vec![document(
        message,
        &mut Build {
            coverage,
            random,
            budget: 0,
            eager: false,
        },
    )];
    let mut idle = 0;
    while documents.len() < DOCUMENTS_MAX && idle < 12 {
        let before = coverage.taken.len();
        let eager = idle < 6;
        documents.push(document(
            message,
            &mut Build {
                coverage,
                random,
                budget: ELEMENTS_MAX,
                eager,
            },
        ));
        idle = if coverage.taken.len() > before {
            0
        } else {
            idle + 1
        };
    }
    documents
}

fn document(message: MessageType, build: &mut Build<'_>) -> Document {
    let root = message.table().root;
    Document {
        message,
        root: build.element(root.name, root.ty, 0),
    }
}

struct Build<'a> {
    coverage: &'a mut Coverage,
    random: &'a mut Random,
    /// Optional elements still to be taken.
    budget: usize,
    /// Take what was never taken before, and only that.
    eager: bool,
}

/// Address of a table entry: its identity.
fn id<T>(entry: &T) -> usize {
    std::ptr::from_ref(entry) as usize
}

impl Build<'_> {
    fn element(&mut self, name: &str, ty: TypeRef, depth: usize) -> Element {
        self.budget = self.budget.saturating_sub(1);
        let mut attributes = Vec::new();
        let content = match ty {
            TypeRef::Complex(ty) => self.children(ty, depth),
            TypeRef::Simple(ty) => Content::Text(self.value(ty)),
            TypeRef::Attributed(ty) => {
                for attribute in ty.attributes {
                    attributes.push((attribute.name.to_owned(), self.value(attribute.ty)));
                }
                Content::Text(self.value(ty.content))
            }
        };
        Element {
            name: name.to_owned(),
            attributes,
            content,
        }
    }

    fn value(&mut self, ty: &'static torap_iso20022::simple::SimpleType) -> String {
        let drawn = self.coverage.drawn.entry(id(ty)).or_default();
        *drawn += 1;
        let values = values::valid(ty);
        values[*drawn % values.len()].clone()
    }

    fn children(&mut self, ty: &'static ComplexType, depth: usize) -> Content {
        match ty.model {
            Model::Any(wildcard) => Content::Raw(foreign(wildcard.namespace, self.random)),
            Model::Choice => {
                let chosen = (0..ty.particles.len())
                    .min_by_key(|&position| (self.taken(ty, position), self.random.below(1_000)))
                    .unwrap();
                Content::Elements(self.particle(ty, chosen, depth))
            }
            Model::Sequence => {
                let elements = (0..ty.particles.len()).flat_map(|position| {
                    let particle = &ty.particles[position];
                    let is_wanted = self.budget > 0
                        && depth < 20
                        && if self.eager && self.random.below(4) > 0 {
                            self.taken(ty, position) == 0
                        } else {
                            self.random.once_in(2 + depth / 2)
                        };
                    if particle.min > 0 || is_wanted {
                        self.particle(ty, position, depth)
                    } else {
                        Vec::new()
                    }
                });
                Content::Elements(elements.collect())
            }
        }
    }

    fn taken(&self, ty: &'static ComplexType, position: usize) -> usize {
        self.coverage
            .taken
            .get(&(id(ty), position))
            .copied()
            .unwrap_or(0)
    }

    fn particle(
        &mut self,
        ty: &'static ComplexType,
        position: usize,
        depth: usize,
    ) -> Vec<Element> {
        let particle = &ty.particles[position];
        *self.coverage.taken.entry((id(ty), position)).or_default() += 1;
        let most = particle
            .max
            .min(particle.min.max(1) + if self.random.once_in(3) { 2 } else { 0 });
        let count = if self.random.once_in(8) && particle.max <= 10 {
            particle.max
        } else {
            most
        };
        (0..count.max(1))
            .map(|_| self.element(particle.name, particle.ty, depth + 1))
            .collect()
    }
}

/// Content of an `xs:any`.
fn foreign(namespace: Option<&str>, random: &mut Random) -> String {
    if let Some(namespace) = namespace {
        return format!(
            r#"<Signature xmlns="{namespace}"><SignedInfo Id="a">x<y/> z</SignedInfo></Signature>"#
        );
    }
    random
        .pick(&[
            "<x xmlns=\"\"/>",
            "<x xmlns=\"urn:x\">text <!-- note --> and <y a='1' b=\"2\">more</y></x>",
            "<p:x xmlns:p=\"urn:p\" p:a=\"&lt;\"><p:y/><![CDATA[<raw>]]></p:x>",
            "<Own>in the target namespace</Own>",
        ])
        .to_owned()
}

/// Documents with every kind of content below a wildcard, valid and not.
pub(crate) fn wildcards(message: MessageType, random: &mut Random) -> Vec<Document> {
    let mut coverage = Coverage::default();
    let mut found = Vec::new();
    for _ in 0..DOCUMENTS_MAX {
        let mut build = Build {
            coverage: &mut coverage,
            random,
            budget: ELEMENTS_MAX,
            eager: true,
        };
        let base = document(message, &mut build);
        if base.root.has_raw() {
            found = contents(message)
                .into_iter()
                .map(|raw| base.with_raw(&raw))
                .collect();
            break;
        }
    }
    found
}

fn contents(message: MessageType) -> Vec<String> {
    let own = message.namespace();
    let root = message.root_element();
    let xsi = "http://www.w3.org/2001/XMLSchema-instance";
    let mut all: Vec<String> = [
        "",
        "text only",
        "<a/><b/>",
        "<a xmlns='urn:a'/> ",
        "<a xmlns='urn:a'/> x",
        "<p:a/>",
        "<a p:b='1'/>",
        "<a:b:c xmlns:a='urn:a'/>",
        "<:a/>",
        "<a:/>",
        "<a:1/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xml='urn:a'/>",
        "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a xmlns:p='u' xmlns:p='v'/>",
        "<a xmlns='u' xmlns='v'/>",
        "<a xmlns:p='' xmlns:p=''/>",
        "<a b='1' b='2'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        "<a xml:lang='en' xml:space='odd'/>",
        "<xml:a/>",
        "<xmlns:a/>",
        "<a><b></a></b>",
        "<é ё='1'/>",
        "<a\u{B7}b/>",
        "<\u{B7}a/>",
        "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
        "<s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'><a/></s:Signature>",
        "<Signature xmlns='http://www.w3.org/2000/09/xmldsi&#x67;#'/>",
        "<a: xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
        "<!-- only a comment -->",
        "<![CDATA[]]><a/>",
        "<a/><!-- c -->",
        "&#32;<a/>&#10;",
        "&#65;<a/>",
    ]
    .map(str::to_owned)
    .to_vec();
    all.push(format!("<{root} xmlns='{own}'/>"));
    all.push(format!("<o:{root} xmlns:o='{own}'><o:Nope/></o:{root}>"));
    all.push(format!(
        "<a xmlns='urn:a'><b><{root} xmlns='{own}'/></b></a>"
    ));
    all.push(format!("<a xmlns='urn:a'><{root}/></a>"));
    for (attribute, text) in [
        ("xsi:type='xs:int'", "12"),
        ("xsi:type='xs:int'", " 12"),
        ("xsi:type='xs:string'", "any<b/>"),
        ("xsi:type='xs:decimal' b='1'", "1"),
        (
            "xsi:type='xs:decimal' xsi:nil='true' xsi:schemaLocation='a b'",
            "1",
        ),
        ("xsi:type='xs:decimal' xsi:other='1'", "1"),
        ("xsi:type='xs:anyType' b='1'", "x<b/>"),
        ("xsi:type='xs:NoSuchType'", "x"),
        ("xsi:type='o:NoSuchType'", "x"),
        ("xsi:type='q:Max35Text'", "x"),
        ("xsi:type='o:Max35Text'", "x"),
        ("xsi:type='o:Max35Text'", ""),
        ("xsi:type='o:Max35Text' b=''", "x"),
        ("xsi:type=' o:Max35Text '", "x"),
        ("xsi:type='Max35Text'", "x"),
        ("xsi:type='Max350Text' xmlns='OWN'", "x"),
        ("xsi:type='o:Max35Text' xsi:nil='false'", "x"),
        ("xsi:nil='true'", "x"),
        ("xsi:nil='odd'", "x"),
        ("xsi:type='o:SupplementaryDataEnvelope1'", "<b/>"),
        ("xsi:type='o:SupplementaryDataEnvelope1'", "<b/><c/>"),
        (
            "xsi:type='o:SupplementaryDataEnvelope1'",
            "<b xsi:type='xs:date'>2026-02-29</b>",
        ),
        ("xsi:type='o:Document'", "<b/>"),
    ] {
        let attribute = attribute.replace("OWN", own);
        all.push(format!(
            "<a xmlns:o='{own}' xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:xsi='{xsi}' {attribute}>{text}</a>"
        ));
    }
    for (ty, text) in spellings::BUILTIN {
        all.push(format!(
            "<a xmlns:xs='http://www.w3.org/2001/XMLSchema' xmlns:xsi='{xsi}' xsi:type='xs:{ty}'>{text}</a>"
        ));
    }
    all
}

impl Document {
    fn with_raw(&self, raw: &str) -> Document {
        let mut copy = self.clone();
        copy.root.replace_raw(raw, &mut false);
        copy
    }

    /// The document as bytes, in one of several spellings that mean the same.
    pub(crate) fn write(&self, random: &mut Random) -> Vec<u8> {
        let mut out = random
            .pick(&[
                "",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
                "\u{FEFF}<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>",
                "<!-- first -->\n",
            ])
            .to_owned();
        out += &self.write_root(random);
        out += random.pick(&["", "\n", "<!-- last --> \n"]);
        out.into_bytes()
    }

    /// The root element alone.
    pub(crate) fn write_root(&self, random: &mut Random) -> String {
        let spelling = Spelling {
            prefix: random.pick(&["", "", "", "document:"]),
            newline: random.pick(&["", "\n", "\n", "\r\n"]),
            quote: random.pick(&['"', '"', '\'']),
        };
        let mut out = String::new();
        let namespace = Some(self.message.namespace());
        self.root.write(&mut out, &spelling, namespace, 0);
        out
    }
}

/// How a document is written.
struct Spelling {
    prefix: &'static str,
    newline: &'static str,
    quote: char,
}

impl Element {
    fn has_raw(&self) -> bool {
        match &self.content {
            Content::Raw(_) => true,
            Content::Text(_) => false,
            Content::Elements(children) => children.iter().any(Element::has_raw),
        }
    }

    fn replace_raw(&mut self, raw: &str, done: &mut bool) {
        match &mut self.content {
            Content::Raw(old) if !*done => {
                *old = raw.to_owned();
                *done = true;
            }
            Content::Raw(_) | Content::Text(_) => {}
            Content::Elements(children) => children
                .iter_mut()
                .for_each(|child| child.replace_raw(raw, done)),
        }
    }

    fn write(&self, out: &mut String, spelling: &Spelling, namespace: Option<&str>, depth: usize) {
        let quote = spelling.quote;
        *out += &format!("<{}{}", spelling.prefix, self.name);
        if let Some(namespace) = namespace {
            let prefix = match spelling.prefix.strip_suffix(':') {
                Some(prefix) => format!(":{prefix}"),
                None => String::new(),
            };
            *out += &format!(" xmlns{prefix}={quote}{namespace}{quote}");
        }
        for (name, value) in &self.attributes {
            *out += &format!(" {name}={quote}{value}{quote}");
        }
        match &self.content {
            Content::Elements(children) if children.is_empty() => {
                *out += "/>";
                return;
            }
            Content::Elements(children) => {
                out.push('>');
                for child in children {
                    *out += spelling.newline;
                    if !spelling.newline.is_empty() {
                        *out += &"  ".repeat(depth + 1);
                    }
                    child.write(out, spelling, None, depth + 1);
                }
                *out += spelling.newline;
            }
            Content::Text(text) => {
                out.push('>');
                *out += &escape(text);
            }
            Content::Raw(raw) => {
                out.push('>');
                *out += raw;
            }
        }
        *out += &format!("</{}{}>", spelling.prefix, self.name);
    }
}

/// Text with its markup characters as references.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace("]]>", "]]&gt;")
        .replace('\r', "&#13;")
}
