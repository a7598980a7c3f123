//! Cards of one kind are opened at the same time: what they need is compiled once, for all that wait for it.

use super::compile::{Image, Target};
use super::sources::Module;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

/// An image, or what the compiler says; whoever comes first makes it, the others wait.
pub(super) type Made = OnceLock<Result<Image, String>>;

/// The one that is made for a card now, as long as somebody holds it: what comes later finds it in the cache.
pub(super) fn of(module: Module, target: Target) -> Arc<Made> {
    static UNDER_WAY: Mutex<Vec<(Module, Target, Weak<Made>)>> = Mutex::new(Vec::new());
    let mut under_way = UNDER_WAY.lock().unwrap_or_else(PoisonError::into_inner);
    under_way.retain(|(.., made)| made.strong_count() > 0);
    let same = under_way.iter().find(|(of, card, _)| (*of, *card) == (module, target));
    same.and_then(|(.., made)| made.upgrade()).unwrap_or_else(|| {
        let made = Arc::default();
        under_way.push((module, target, Arc::downgrade(&made)));
        made
    })
}

#[cfg(test)]
mod tests {
    use super::super::compile::Kind;
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// That of no other test.
    const TARGET: Target = Target { driver: 1, capability: (1, 0) };

    #[test]
    fn one_compiles_for_all_that_ask_at_that_time() {
        let (compiled, together) = (AtomicU8::new(0), Barrier::new(4));
        let ask = |module, target| {
            let made = of(module, target);
            together.wait();
            let count = || compiled.fetch_add(1, Ordering::Relaxed);
            let image = made.get_or_init(|| Ok(Image { kind: Kind::Cubin, bytes: vec![count()] })).clone();
            together.wait();
            image.expect("made").bytes[0]
        };
        let other = Target { capability: (1, 1), ..TARGET };
        let asked = [(Module::Secp, TARGET), (Module::Secp, TARGET), (Module::G1, TARGET), (Module::Secp, other)];
        let numbers = std::thread::scope(|scope| {
            let threads = asked.map(|(module, target)| scope.spawn(move || ask(module, target)));
            threads.map(|thread| thread.join().expect("an image"))
        });
        assert_eq!(numbers[0], numbers[1]);
        assert_eq!(compiled.into_inner(), 3, "{numbers:?}");
        assert_eq!(of(Module::Secp, TARGET).get(), None, "nobody holds it any more");
    }
}
