//! RLP of nodes. The decoder accepts exactly what the encoder makes.

use crate::node::{Branch, HashItem, Link, LinkRef, Node, Stored};
use crate::{Bytes, Hash, nibbles};
use alloy_rlp::{Encodable, Header};
use std::ops::Range;

/// A node shorter than this stands inside its parent instead of being hashed.
pub(crate) const INLINE_BELOW: usize = 32;

/// Longest header of a list or string in RLP.
const HEADER_MAX: usize = 9;

type Rule = &'static str;

/// RLP of a node whose children are hashed or inline.
pub(crate) fn encode(node: &Node) -> Vec<u8> {
    let mut out = Vec::new();
    let place = push_encoded(node, &mut out);
    out.drain(..place.start);
    out
}

/// Appends what [`encode`] gives and returns where it stands: before it may be unused bytes.
pub(crate) fn push_encoded(node: &Node, out: &mut Vec<u8>) -> Range<usize> {
    let start = out.len();
    out.extend([0; HEADER_MAX]); // its length is known when the rest is written
    match node {
        Node::Leaf(leaf) => {
            push_path(&leaf.path, true, out);
            push_string(&leaf.value, out);
        }
        Node::Extension(extension) => {
            push_path(&extension.path, false, out);
            push_link(extension.child.as_ref(), out);
        }
        Node::Branch(branch) => {
            push_children(branch, out);
            push_string(branch.value_bytes(), out);
        }
    }
    let payload_length = out.len() - start - HEADER_MAX;
    let header = Header { list: true, payload_length };
    let start = start + HEADER_MAX - header.length();
    header.encode(&mut &mut out[start..]);
    start..out.len()
}

fn push_path(path: &[u8], leaf: bool, out: &mut Vec<u8>) {
    let len = nibbles::compact_len(path.len());
    if len > 1 {
        Header { list: false, payload_length: len }.encode(out);
    } // one byte below 0x40 is its own encoding
    nibbles::push_compact(path, leaf, out);
}

/// The children of a branch.
fn push_children(branch: &Branch, out: &mut Vec<u8>) {
    match branch.hashes() {
        Some((items, hashed)) => push_hashes(items, hashed, out),
        None => (0..16).for_each(|slot| push_link(branch.child(slot), out)),
    }
}

/// The children of a branch that has hashed ones and none else. Which there are is anybody's guess: no branch asks.
fn push_hashes(items: &[HashItem; 16], hashed: u16, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 16 * HashItem::LEN, 0);
    let mut end = start;
    for (slot, item) in items.iter().enumerate() {
        let taken = usize::from(hashed >> slot & 1);
        let place = &mut out[end..end + HashItem::LEN];
        place.copy_from_slice(item.bytes());
        place[0] = alloy_rlp::EMPTY_STRING_CODE + 32 * taken as u8;
        end += 1 + 32 * taken;
    }
    out.truncate(end);
}

fn push_link(link: LinkRef<'_>, out: &mut Vec<u8>) {
    match link {
        LinkRef::Empty => out.push(alloy_rlp::EMPTY_STRING_CODE),
        LinkRef::Stored(hash, _) => out.extend_from_slice(HashItem::new(hash).bytes()),
        LinkRef::Fresh(node) => {
            let start = out.len();
            let place = push_encoded(node, out);
            out.drain(start..place.start);
        }
    }
}

fn push_string(bytes: &[u8], out: &mut Vec<u8>) {
    bytes.encode(out);
}

/// The node of exactly these bytes. Values are slices of `raw`, not copies.
///
/// # Errors
/// The rule that is broken. Recursion is bounded: a node inside a node has less than 32 bytes.
pub(crate) fn decode(raw: &Bytes) -> Result<Node, Rule> {
    let mut rest: &[u8] = raw;
    let node = decode_node(raw, &mut rest)?;
    if rest.is_empty() { Ok(node) } else { Err("bytes follow it") }
}

fn decode_node(raw: &Bytes, buf: &mut &[u8]) -> Result<Node, Rule> {
    let mut items = Header::decode_bytes(buf, true).map_err(|_| "it is no RLP list")?;
    match count_items(items)? {
        2 => decode_short(raw, &mut items),
        17 => decode_branch(raw, &mut items),
        _ => Err("its list has neither 2 nor 17 items"),
    }
}

fn count_items(mut items: &[u8]) -> Result<usize, Rule> {
    let mut count = 0;
    while !items.is_empty() && count <= 17 {
        let header = Header::decode(&mut items).map_err(|_| "an item is no RLP")?;
        items = &items[header.payload_length..];
        count += 1;
    }
    Ok(count)
}

fn decode_short(raw: &Bytes, items: &mut &[u8]) -> Result<Node, Rule> {
    let compact = Header::decode_bytes(items, false).map_err(|_| "its path is no RLP string")?;
    let (path, leaf) = nibbles::from_compact(compact)?;
    if leaf {
        let value = decode_value(raw, items)?.ok_or("it is a leaf without a value")?;
        return Ok(Node::leaf(path, value));
    }
    if path.is_empty() {
        return Err("it is an extension by nothing");
    }
    match decode_link(raw, items)? {
        Link::Empty => Err("it is an extension to nothing"),
        Link::Fresh(node) if !matches!(node, Node::Branch(_)) => Err("it is an extension to something not a branch"),
        child => Ok(Node::extension(path, child)),
    }
}

fn decode_branch(raw: &Bytes, items: &mut &[u8]) -> Result<Node, Rule> {
    let mut node = Branch::empty();
    let branch = Branch::own(&mut node);
    for slot in 0..16 {
        branch.put(slot, decode_link(raw, items)?);
    }
    branch.value = decode_value(raw, items)?;
    if branch.taken() < 2 { Err("it is a branch with less than two children") } else { Ok(Node::Branch(node)) }
}

fn decode_link(raw: &Bytes, items: &mut &[u8]) -> Result<Link, Rule> {
    if items.first().is_some_and(|&first| first >= alloy_rlp::EMPTY_LIST_CODE) {
        let before = items.len();
        let header = Header::decode(&mut { *items }).map_err(|_| "a child is no RLP")?;
        if header.length_with_payload() >= INLINE_BELOW {
            return Err("a child of 32 bytes or more stands inside it");
        }
        let node = decode_node(raw, items)?;
        debug_assert_eq!(before - items.len(), header.length_with_payload());
        return Ok(Link::Fresh(node));
    }
    let bytes = Header::decode_bytes(items, false).map_err(|_| "a child is no RLP string")?;
    match bytes.len() {
        0 => Ok(Link::Empty),
        32 => Ok(Link::Stored(Stored::unread(Hash::from_slice(bytes)))),
        _ => Err("a child hash is not 32 bytes long"),
    }
}

/// A value, `None` if it is empty.
fn decode_value(raw: &Bytes, items: &mut &[u8]) -> Result<Option<Bytes>, Rule> {
    let value = Header::decode_bytes(items, false).map_err(|_| "its value is no RLP string")?;
    Ok(if value.is_empty() { None } else { Some(raw.slice_ref(value)) })
}
