//! Rules by name: the specification's, and those that break agreement or stall (`spec/consensus.md` §1.9, §1.16).

use vigil_consensus::Rules;

/// Name, what is wrong with it, and the change to the rules.
type Variant = (&'static str, fn(&mut Rules));

const VARIANTS: [Variant; 10] = [
    ("default", |_| {}),
    ("bare-whitepaper", |rules| {
        rules.longest_fork = true;
        rules.lock_rule = false;
    }),
    ("loose-settlement", |rules| rules.direct_link = false),
    ("epoch-clock", |rules| rules.epoch_clock = true),
    ("no-height-rule", |rules| rules.height_rule = false),
    ("no-lock-rule", |rules| rules.lock_rule = false),
    ("votes-as-epoch-changes", |rules| rules.votes_count_as_epoch_change = true),
    ("forced-links", |rules| rules.forced_links = true),
    ("no-resend-timer", |rules| rules.no_resend_timer_after_amplified_ec = true),
    ("backoff-reset-on-certificate", |rules| rules.backoff_reset_on_certificate = true),
];

/// All names.
pub fn names() -> impl Iterator<Item = &'static str> {
    VARIANTS.iter().map(|(name, _)| *name)
}

/// The rules of a name.
pub fn find(name: &str) -> Option<Rules> {
    let (_, change) = VARIANTS.iter().find(|(known, _)| *known == name)?;
    let mut rules = Rules::default();
    change(&mut rules);
    Some(rules)
}
