//! Backends as people name them.

use super::super::cards::{Card, STAND_INS};
use super::ENGINE;
use vigil_accel::gpu::StandIn;
use vigil_accel::{Backend, BackendName, detect};

/// One of the flag's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    All,
    Engine,
    Named(BackendName),
    StandIn(&'static str, StandIn),
}

/// Reads one.
pub(super) fn choice(text: &str) -> Result<Choice, String> {
    match text {
        "all" => return Ok(Choice::All),
        ENGINE => return Ok(Choice::Engine),
        _ => {}
    }
    if let Some((label, which)) = STAND_INS.iter().find(|(label, _)| *label == text) {
        return Ok(Choice::StandIn(label, *which));
    }
    let found = BackendName::ALL.into_iter().find(|name| name.as_str() == text);
    let names = BackendName::ALL.map(BackendName::as_str).join(", ");
    let stand_ins = STAND_INS.map(|(label, _)| label).join(", ");
    found.map(Choice::Named).ok_or_else(|| format!("no such backend; there are all, {ENGINE}, {names}, {stand_ins}"))
}

/// A backend was asked for by name that this machine cannot run.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("this machine has no {absent}: {why}")]
pub(crate) struct AbsentBackend {
    absent: &'static str,
    why: String,
}

/// Those of the processor that were asked for.
///
/// # Errors
/// [`AbsentBackend`].
pub(super) fn backends(choices: &[Choice]) -> Result<Vec<&'static dyn Backend>, AbsentBackend> {
    let present = detect();
    let names = || present.iter().map(|b| b.name().as_str()).collect::<Vec<_>>().join(", ");
    for choice in choices {
        match *choice {
            Choice::Named(BackendName::Cuda | BackendName::Wgpu) => {}
            Choice::Named(name) if !present.iter().any(|b| b.name() == name) => {
                return Err(AbsentBackend { absent: name.as_str(), why: format!("it has {}", names()) });
            }
            _ => {}
        }
    }
    let wanted = |name| choices.iter().any(|c| matches!(c, Choice::All) || *c == Choice::Named(name));
    Ok(present.iter().copied().filter(|b| wanted(b.name())).collect())
}

/// The cards that were asked for, each once.
///
/// # Errors
/// [`AbsentBackend`].
pub(super) fn cards(choices: &[Choice]) -> Result<Vec<Card>, AbsentBackend> {
    let mut cards: Vec<Card> = Vec::new();
    for choice in choices {
        let absent = |absent| move |why| AbsentBackend { absent, why };
        let more = match *choice {
            Choice::All => Card::all(),
            Choice::Named(name @ (BackendName::Cuda | BackendName::Wgpu)) => {
                Card::of(name).map_err(absent(name.as_str()))?
            }
            Choice::StandIn(label, which) => vec![Card::stand_in(label, which).map_err(absent(label))?],
            Choice::Named(_) | Choice::Engine => Vec::new(),
        };
        for card in more {
            if !cards.iter().any(|known| known.label == card.label) {
                cards.push(card);
            }
        }
    }
    Ok(cards)
}
