//! Who is whose neighbour: the random graphs of the paper (`spec/consensus.md` §2.2, end).

use crate::rng::Rng;
use std::collections::BTreeSet;

/// Neighbours of each node, ascending; symmetric.
pub type Graph = Vec<Vec<usize>>;

/// A node that joins knows everybody who is there and connects to a random few, half of the average degree, of those
/// who have not twice the average yet. So the average degree comes out as asked, and earlier nodes have more.
pub fn random_graph(nodes: usize, degree: usize, rng: &mut Rng) -> Graph {
    let (joins, most) = (degree.div_ceil(2), 2 * degree);
    let mut edges: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); nodes];
    for node in 1..nodes {
        let mut tries = 0;
        while edges[node].len() < joins.min(node) && tries < 50 * joins {
            tries += 1;
            let other = rng.below(node);
            // The first nodes take whoever comes: there are too few of them to choose from.
            if edges[other].len() < most || node <= most {
                edges[node].insert(other);
                edges[other].insert(node);
            }
        }
    }
    edges.into_iter().map(|edges| edges.into_iter().collect()).collect()
}

/// True if those nodes that `keep` says are connected with each other through themselves.
pub fn is_connected(graph: &Graph, keep: impl Fn(usize) -> bool) -> bool {
    let Some(first) = (0..graph.len()).find(|node| keep(*node)) else { return true };
    let mut seen = BTreeSet::from([first]);
    let mut stack = vec![first];
    while let Some(node) = stack.pop() {
        for next in graph[node].iter().filter(|next| keep(**next)) {
            if seen.insert(*next) {
                stack.push(*next);
            }
        }
    }
    (0..graph.len()).filter(|node| keep(*node)).count() == seen.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn graphs_have_the_degree_that_was_asked_for() {
        for (nodes, degree, seed) in [(1_000, 20, 1), (1_000, 30, 2), (40, 6, 3), (5, 20, 4), (1, 20, 5)] {
            let graph = random_graph(nodes, degree, &mut Rng::seeded(seed, Stream::Plan));
            let edges: usize = graph.iter().map(Vec::len).sum();
            let average = edges as f64 / nodes as f64;
            let possible = (nodes - 1) as f64;
            assert!(
                average <= degree as f64 && average > (degree as f64 * 0.85).min(possible * 0.9) - 1.0,
                "{average}"
            );
            for (node, neighbours) in graph.iter().enumerate() {
                assert!(neighbours.iter().all(|other| *other != node && graph[*other].contains(&node)));
            }
            assert!(is_connected(&graph, |_| true));
        }
    }

    #[test]
    fn a_graph_falls_apart_without_its_middle() {
        let line = vec![vec![1], vec![0, 2], vec![1]];
        assert!(is_connected(&line, |_| true));
        assert!(!is_connected(&line, |node| node != 1));
        assert!(is_connected(&line, |_| false));
    }
}
