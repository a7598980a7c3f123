//! `vigil gpu list`: what was found, and why one is not used.

use crate::Output;
use serde_json::{Value, json};
use vigil_accel::BackendName;
use vigil_accel::gpu::{self, CardInfo, Fault};

const MIB: u64 = 1024 * 1024;

/// A card, or what was found in the place of one.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    /// Through what.
    pub(crate) backend: BackendName,
    /// What it is, if it could be opened.
    info: Option<CardInfo>,
    /// Why it is not used; `None`: it is ready.
    why_not: Option<Fault>,
}

/// Opens the cards of this machine, which takes seconds where kernels must be compiled.
pub(crate) fn found() -> Vec<Card> {
    let card = |found: &gpu::Found| match &found.card {
        Ok(card) => Card { backend: found.name, info: found.info.clone(), why_not: card.why_not() },
        Err(fault) => Card { backend: found.name, info: found.info.clone(), why_not: Some(fault.clone()) },
    };
    gpu::cards().iter().map(card).collect()
}

/// The backends that have a card which is ready, each once.
pub(crate) fn ready(cards: &[Card]) -> Vec<BackendName> {
    let mut names: Vec<_> = cards.iter().filter(|card| card.why_not.is_none()).map(|card| card.backend).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Prints them. That there is none is no error.
pub(super) fn run(output: &Output) {
    let cards = found();
    let names: Vec<&str> = ready(&cards).into_iter().map(BackendName::as_str).collect();
    let cards_as_json: Vec<Value> = cards.iter().map(Card::as_json).collect();
    output.result(in_words(&cards), &json!({ "cards": cards_as_json, "ready": names.join(",") }));
}

fn in_words(cards: &[Card]) -> String {
    let mut lines: Vec<String> = cards.iter().map(Card::in_words).collect();
    if ready(cards).is_empty() {
        lines.push("No graphics card can be used here: the processor does all work.".to_owned());
    }
    lines.join("\n")
}

impl Card {
    /// A card, or what was found in the place of one.
    #[cfg(test)]
    pub(crate) fn new(backend: BackendName, info: Option<CardInfo>, why_not: Option<Fault>) -> Self {
        Self { backend, info, why_not }
    }

    /// Why it is not used; `None`: it is ready.
    pub(crate) fn why_not(&self) -> Option<&Fault> {
        self.why_not.as_ref()
    }

    /// A few lines.
    fn in_words(&self) -> String {
        let state = self.state();
        let Some(info) = &self.info else { return format!("{:<6}{state}", self.backend.as_str()) };
        let memory = info.memory_bytes.map_or("not told".to_owned(), |bytes| format!("{} MiB", bytes / MIB));
        format!(
            "{:<6}{}: {state}\n      driver {}; kernels from {}\n      memory {memory}; buffers up to {} MiB, launches up to {} items",
            self.backend.as_str(),
            info.name,
            info.driver,
            info.kernels,
            info.buffer_bytes_max / MIB,
            info.items_max,
        )
    }

    /// Its name, where it has one, and how it is: for one line.
    pub(crate) fn brief(&self) -> String {
        let name = self.info.as_ref().map(|info| format!("{}: ", info.name)).unwrap_or_default();
        name + &self.state()
    }

    fn state(&self) -> String {
        self.why_not.as_ref().map_or("ready".to_owned(), |why| format!("not used: {why}"))
    }

    /// Every key is there; what is not known is `null`.
    pub(crate) fn as_json(&self) -> Value {
        let info = self.info.as_ref();
        json!({
            "backend": self.backend.as_str(),
            "name": info.map(|info| &info.name),
            "driver": info.map(|info| &info.driver),
            "kernels": info.map(|info| &info.kernels),
            "place": info.and_then(|info| info.place.clone()),
            "memory_bytes": info.and_then(|info| info.memory_bytes),
            "buffer_bytes_max": info.map(|info| info.buffer_bytes_max),
            "items_max": info.map(|info| info.items_max),
            "ready": self.why_not.is_none(),
            "why_not": self.why_not.as_ref().map(Fault::to_string),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(backend: BackendName, why_not: Option<Fault>) -> Card {
        let info = CardInfo {
            name: "A card".into(),
            driver: "d 1.2".into(),
            memory_bytes: Some(8192 * MIB),
            buffer_bytes_max: 128 * MIB,
            items_max: 4096,
            steps_max: 1,
            place: Some("0000:01:00.0".into()),
            kernels: "a cache".into(),
            software: false,
        };
        Card { backend, info: Some(info), why_not }
    }

    #[test]
    fn a_card_that_is_ready_says_what_it_has() {
        let cards = [card(BackendName::Cuda, None), card(BackendName::Wgpu, None), card(BackendName::Cuda, None)];
        let text = in_words(&cards[..1]);
        let want = "cuda  A card: ready\n      driver d 1.2; kernels from a cache\n      memory 8192 MiB; buffers up to 128 MiB, launches up to 4096 items";
        assert_eq!(text, want);
        assert_eq!(ready(&cards), [BackendName::Wgpu, BackendName::Cuda], "each once");
        assert_eq!(cards[0].as_json()["memory_bytes"], 8192 * MIB);
    }

    #[test]
    fn none_is_said_plainly_with_the_reason() {
        let absent = Card { backend: BackendName::Cuda, info: None, why_not: Some(Fault::Missing("no driver".into())) };
        let lied = card(BackendName::Wgpu, Some(Fault::Lies("a canary".into())));
        let text = in_words(&[absent.clone(), lied]);
        for words in ["cuda  not used: no driver\n", "wgpu  A card: not used: a canary\n", "No graphics card can be"] {
            assert!(text.contains(words), "{text}");
        }
        assert_eq!(in_words(&[]), "No graphics card can be used here: the processor does all work.");
        assert_eq!((&absent.as_json()["ready"], &absent.as_json()["why_not"]), (&json!(false), &json!("no driver")));
    }
}
