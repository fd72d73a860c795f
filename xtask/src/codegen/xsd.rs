//! Reads an XSD of ISO 20022 into a model, and refuses whatever the model cannot hold.

use std::collections::BTreeMap;

use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// One XSD.
#[derive(Debug)]
pub(super) struct Schema {
    /// File name.
    pub source: String,
    /// BLAKE3 of the file.
    pub digest: String,
    /// Message identifier, from the target namespace.
    pub identifier: String,
    pub namespace: String,
    /// The one global element and the name of its type.
    pub root: (String, String),
    pub complex: BTreeMap<String, Complex>,
    pub simple: BTreeMap<String, Simple>,
}

/// A complex type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Complex {
    Sequence(Vec<Element>),
    Choice(Vec<Element>),
    Any {
        namespace: Option<String>,
        process: String,
    },
    SimpleContent {
        base: String,
        attributes: Vec<Attribute>,
    },
}

/// A child element of a complex type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub name: String,
    pub ty: String,
    pub min: u32,
    /// `None` is unbounded.
    pub max: Option<u32>,
}

/// An attribute of a type with simple content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attribute {
    pub name: String,
    pub ty: String,
    pub is_required: bool,
}

/// A simple type: a restriction of a built-in type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Simple {
    /// Built-in type without its prefix.
    pub base: String,
    pub patterns: Vec<String>,
    pub enumeration: Vec<String>,
    /// The other facets by name.
    pub facets: BTreeMap<String, String>,
}

/// An element of the XSD document itself.
#[derive(Debug, Default)]
struct Node {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Node>,
}

/// The namespace that the target namespace of every message begins with.
const NAMESPACE_PREFIX: &str = "urn:iso:std:iso:20022:tech:xsd:";

/// Reads one XSD.
pub(super) fn read(source: &str, text: &str) -> Result<Schema, String> {
    let document = parse(text)?;
    let namespace = document.attribute("targetNamespace")?;
    let identifier = namespace
        .strip_prefix(NAMESPACE_PREFIX)
        .ok_or_else(|| format!("target namespace {namespace}"))?
        .to_owned();
    document.expect("elementFormDefault", "qualified")?;
    let mut schema = Schema {
        source: source.to_owned(),
        digest: blake3::hash(text.as_bytes()).to_hex().to_string(),
        identifier,
        namespace,
        root: Default::default(),
        complex: BTreeMap::new(),
        simple: BTreeMap::new(),
    };
    for child in &document.children {
        let name = child.attribute("name")?;
        match child.name.as_str() {
            "xs:element" if schema.root.0.is_empty() => {
                child.only(&["name", "type"])?;
                schema.root = (name, child.attribute("type")?);
            }
            "xs:complexType" => {
                child.only(&["name"])?;
                let ty = complex(child).map_err(|error| format!("{name}: {error}"))?;
                schema.complex.insert(name, ty);
            }
            "xs:simpleType" => {
                child.only(&["name"])?;
                let ty = simple(child).map_err(|error| format!("{name}: {error}"))?;
                schema.simple.insert(name, ty);
            }
            other => return Err(format!("{other} {name} is not supported")),
        }
    }
    Ok(schema)
}

fn complex(node: &Node) -> Result<Complex, String> {
    let body = node.only_child()?;
    match body.name.as_str() {
        "xs:sequence" | "xs:choice" => {
            body.only(&[])?;
            if let [any] = body.children.as_slice()
                && any.name == "xs:any"
                && body.name == "xs:sequence"
            {
                any.only(&["namespace", "processContents"])?;
                let namespace = any.attribute("namespace")?;
                let process = any.attribute("processContents")?;
                return Ok(Complex::Any {
                    namespace: (namespace != "##any").then_some(namespace),
                    process,
                });
            }
            let elements = body
                .children
                .iter()
                .map(element)
                .collect::<Result<Vec<_>, _>>()?;
            check_distinct(elements.iter().map(|element| element.name.as_str()))?;
            if elements.is_empty() {
                return Err("an empty model is not supported".to_owned());
            }
            Ok(if body.name == "xs:sequence" {
                Complex::Sequence(elements)
            } else {
                Complex::Choice(elements)
            })
        }
        "xs:simpleContent" => {
            let extension = body.only_child()?;
            if extension.name != "xs:extension" {
                return Err(format!("{} is not supported", extension.name));
            }
            let attributes = extension
                .children
                .iter()
                .map(attribute)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(Complex::SimpleContent {
                base: extension.attribute("base")?,
                attributes,
            })
        }
        other => Err(format!("{other} is not supported")),
    }
}

fn element(node: &Node) -> Result<Element, String> {
    if node.name != "xs:element" || !node.children.is_empty() {
        return Err(format!("{} inside a model is not supported", node.name));
    }
    node.only(&["name", "type", "minOccurs", "maxOccurs"])?;
    let min = node
        .attributes
        .get("minOccurs")
        .map_or(Ok(1), |min| min.parse());
    let max = match node.attributes.get("maxOccurs").map(String::as_str) {
        None => Some(1),
        Some("unbounded") => None,
        Some(max) => Some(max.parse().map_err(|error| format!("maxOccurs: {error}"))?),
    };
    Ok(Element {
        name: node.attribute("name")?,
        ty: node.attribute("type")?,
        min: min.map_err(|error| format!("minOccurs: {error}"))?,
        max,
    })
}

fn attribute(node: &Node) -> Result<Attribute, String> {
    if node.name != "xs:attribute" {
        return Err(format!("{} is not supported", node.name));
    }
    node.only(&["name", "type", "use"])?;
    Ok(Attribute {
        name: node.attribute("name")?,
        ty: node.attribute("type")?,
        is_required: node
            .attributes
            .get("use")
            .is_some_and(|used| used == "required"),
    })
}

fn simple(node: &Node) -> Result<Simple, String> {
    let restriction = node.only_child()?;
    if restriction.name != "xs:restriction" {
        return Err(format!("{} is not supported", restriction.name));
    }
    let base = restriction.attribute("base")?;
    let mut simple = Simple {
        base: base
            .strip_prefix("xs:")
            .ok_or_else(|| format!("base {base} is not a built-in type"))?
            .to_owned(),
        ..Simple::default()
    };
    for facet in &restriction.children {
        facet.only(&["value"])?;
        let value = facet.attribute("value")?;
        match facet.name.as_str() {
            "xs:pattern" => simple.patterns.push(value),
            "xs:enumeration" => simple.enumeration.push(value),
            name => {
                let name = name.trim_start_matches("xs:").to_owned();
                if simple.facets.insert(name.clone(), value).is_some() {
                    return Err(format!("{name} twice"));
                }
            }
        }
    }
    Ok(simple)
}

/// A name twice in one model would make the parser's choice of particle depend on more than the name.
fn check_distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!(
                "element {name} twice in one model is not supported"
            ));
        }
    }
    Ok(())
}

impl Node {
    fn attribute(&self, name: &str) -> Result<String, String> {
        self.attributes
            .get(name)
            .cloned()
            .ok_or_else(|| format!("{} without {name}", self.name))
    }

    fn expect(&self, name: &str, value: &str) -> Result<(), String> {
        if self
            .attributes
            .get(name)
            .is_some_and(|found| found == value)
        {
            return Ok(());
        }
        Err(format!("{} without {name}=\"{value}\"", self.name))
    }

    fn only(&self, allowed: &[&str]) -> Result<(), String> {
        match self
            .attributes
            .keys()
            .find(|name| !allowed.contains(&name.as_str()))
        {
            Some(name) => Err(format!("{} with {name} is not supported", self.name)),
            None => Ok(()),
        }
    }

    fn only_child(&self) -> Result<&Node, String> {
        match self.children.as_slice() {
            [only] => Ok(only),
            other => Err(format!("{} with {} children", self.name, other.len())),
        }
    }
}

/// The XSD document as a tree; annotations are left out.
fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        let (node, is_empty) = match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => (start_node(&start)?, false),
            Event::Empty(start) => (start_node(&start)?, true),
            Event::End(_) => {
                close(&mut open)?;
                continue;
            }
            Event::Eof => break,
            _ => continue,
        };
        open.push(node);
        if is_empty {
            close(&mut open)?;
        }
    }
    match open.as_mut_slice() {
        [document] => document
            .children
            .pop()
            .ok_or_else(|| "no schema".to_owned()),
        _ => Err("unclosed element".to_owned()),
    }
}

fn close(open: &mut Vec<Node>) -> Result<(), String> {
    let node = open.pop().ok_or("unbalanced elements")?;
    let parent = open.last_mut().ok_or("unbalanced elements")?;
    if node.name != "xs:annotation" {
        parent.children.push(node);
    }
    Ok(())
}

fn start_node(start: &BytesStart<'_>) -> Result<Node, String> {
    let mut node = Node {
        name: start.name().as_ref().to_owned(),
        ..Node::default()
    };
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(quick_xml::XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        node.attributes
            .insert(attribute.key.as_ref().to_owned(), value.into_owned());
    }
    Ok(node)
}
