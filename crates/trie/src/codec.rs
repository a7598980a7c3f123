//! RLP of nodes. The decoder accepts exactly what the encoder makes.

use crate::leaf::Leaf;
use crate::node::{Branch, HASH_HEADER, Link, LinkRef, Node, Stored};
use crate::{Hash, nibbles};
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

/// RLP of a leaf. `path`: nibbles.
pub(crate) fn encode_leaf(path: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(3 * HEADER_MAX + nibbles::compact_len(path.len()) + value.len());
    let place = push_list(&mut out, |out| {
        push_path(path, true, out);
        push_string(value, out);
    });
    out.drain(..place.start);
    out
}

/// Appends what [`encode`] gives and returns where it stands: before it may be unused bytes.
pub(crate) fn push_encoded(node: &Node, out: &mut Vec<u8>) -> Range<usize> {
    match node {
        Node::Leaf(leaf) => push_leaf(leaf, out),
        Node::Extension(extension) => push_list(out, |out| {
            push_path(&extension.path, false, out);
            push_link(extension.child.as_ref(), out);
        }),
        Node::Branch(branch) => push_list(out, |out| {
            (0..16).for_each(|slot| push_link(branch.child(slot), out));
            push_string(branch.value_bytes(), out);
        }),
    }
}

/// [`push_encoded`] for a leaf.
pub(crate) fn push_leaf(leaf: &Leaf, out: &mut Vec<u8>) -> Range<usize> {
    let start = out.len();
    out.extend_from_slice(leaf.rlp());
    start..out.len()
}

/// [`push_encoded`] for a branch without a value all of whose children are known by hash: the last byte is that of the
/// value, before it are the children. Nothing for another branch.
pub(crate) fn push_branch(branch: &Branch, out: &mut Vec<u8>) -> Range<usize> {
    match branch.hashes() {
        Some(items) => {
            let start = out.len();
            let [high, low] = (items.len() as u16 + 1).to_be_bytes(); // 81 to 529
            match high {
                0 => out.extend_from_slice(&[0xf8, low]),
                _ => out.extend_from_slice(&[0xf9, high, low]),
            }
            out.extend_from_slice(items);
            out.push(alloy_rlp::EMPTY_STRING_CODE);
            start..out.len()
        }
        None => 0..0,
    }
}

/// Appends a list and returns where it stands: its length is known when the rest is written, so there is a gap before it.
fn push_list(out: &mut Vec<u8>, push_items: impl FnOnce(&mut Vec<u8>)) -> Range<usize> {
    let start = out.len() + HEADER_MAX;
    out.extend([0; HEADER_MAX]);
    push_items(out);
    let header = Header { list: true, payload_length: out.len() - start };
    let start = start - header.length();
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

fn push_link(link: LinkRef<'_>, out: &mut Vec<u8>) {
    match link {
        LinkRef::Empty => out.push(alloy_rlp::EMPTY_STRING_CODE),
        LinkRef::Stored(hash, _) => {
            out.push(HASH_HEADER);
            out.extend_from_slice(hash.as_slice());
        }
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

/// The node of exactly these bytes.
///
/// # Errors
/// The rule that is broken. Recursion is bounded: a node inside a node has less than 32 bytes.
pub(crate) fn decode(mut raw: &[u8]) -> Result<Node, Rule> {
    let node = decode_node(&mut raw)?;
    if raw.is_empty() { Ok(node) } else { Err("bytes follow it") }
}

fn decode_node(buf: &mut &[u8]) -> Result<Node, Rule> {
    let node = *buf;
    let mut items = Header::decode_bytes(buf, true).map_err(|_| "it is no RLP list")?;
    let node = &node[..node.len() - buf.len()];
    match count_items(items)? {
        2 => decode_short(node, &mut items),
        17 => decode_branch(&mut items),
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

/// A leaf or an extension. `rlp`: the node; `items`: those in it.
fn decode_short(rlp: &[u8], items: &mut &[u8]) -> Result<Node, Rule> {
    let compact = Header::decode_bytes(items, false).map_err(|_| "its path is no RLP string")?;
    if nibbles::is_leaf(compact)? {
        decode_value(items)?.ok_or("it is a leaf without a value")?;
        return Ok(Node::Leaf(Leaf::from_rlp(rlp)));
    }
    let path: Vec<u8> = nibbles::of_compact(compact).collect();
    if path.is_empty() {
        return Err("it is an extension by nothing");
    }
    match decode_link(items)? {
        Link::Empty => Err("it is an extension to nothing"),
        Link::Fresh(node) if !matches!(node, Node::Branch(_)) => Err("it is an extension to something not a branch"),
        child => Ok(Node::extension(path, child)),
    }
}

fn decode_branch(items: &mut &[u8]) -> Result<Node, Rule> {
    let mut node = Branch::empty();
    let branch = Branch::own(&mut node);
    for slot in 0..16 {
        branch.put(slot, decode_link(items)?);
    }
    branch.value = decode_value(items)?.map(Box::from);
    if branch.taken() < 2 { Err("it is a branch with less than two children") } else { Ok(Node::Branch(node)) }
}

fn decode_link(items: &mut &[u8]) -> Result<Link, Rule> {
    if items.first().is_some_and(|&first| first >= alloy_rlp::EMPTY_LIST_CODE) {
        let before = items.len();
        let header = Header::decode(&mut { *items }).map_err(|_| "a child is no RLP")?;
        if header.length_with_payload() >= INLINE_BELOW {
            return Err("a child of 32 bytes or more stands inside it");
        }
        let node = decode_node(items)?;
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
fn decode_value<'i>(items: &mut &'i [u8]) -> Result<Option<&'i [u8]>, Rule> {
    let value = Header::decode_bytes(items, false).map_err(|_| "its value is no RLP string")?;
    Ok(if value.is_empty() { None } else { Some(value) })
}
