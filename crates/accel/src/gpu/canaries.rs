//! Items with known answers, good and bad, for every question.

use super::guard::Canary;
use super::question::{Cold, Hot, Known, Message, OfMessage, Question, Recover};
use crate::ops::{Claim, PublicKey, Signed, SignedMessage};
use crate::oracle;
use vigil_crypto::SecretKey;
use vigil_primitives::Address;

/// Signatures that are good; each is also there in bad forms.
const GOOD: u8 = 16;
/// The table that belongs to the canaries' key.
pub(crate) const TABLE: u32 = 0;

/// Of every question.
pub(crate) struct Canaries {
    key: PublicKey,
    pub(crate) recover: Vec<Canary<Recover>>,
    pub(crate) cold: Vec<Canary<Cold>>,
    pub(crate) hot: Vec<Canary<Hot>>,
    pub(crate) messages: Vec<Canary<OfMessage>>,
}

/// What bad items are made of good ones with.
const SPOIL: [fn(&mut Claim); 5] = [
    |claim| claim.signed.digest.0[31] ^= 1,
    |claim| claim.signed.signature[63] ^= 1,
    |claim| claim.signed.signature[64] ^= 1,
    |claim| claim.signed.signature[..32].fill(0),
    |claim| claim.signed.signature[32..64].fill(0xff),
];

impl Canaries {
    pub(crate) fn new() -> Self {
        let secret = SecretKey::from_bytes(&[0x42; 32]).expect("below the order");
        let key = secret.public_key();
        let good = |number: u8| {
            let digest = oracle::digest(&message(number));
            let signature = *secret.sign(&digest).as_array().expect("65 bytes");
            Claim { signed: Signed { digest, signature }, key }
        };
        let good: Vec<Claim> = (0..GOOD).map(good).collect();
        let spoilt = good.iter().zip(SPOIL.iter().cycle()).map(|(claim, spoil)| {
            let mut claim = *claim;
            spoil(&mut claim);
            claim
        });
        let claims: Vec<Claim> = good.iter().copied().chain(spoilt).collect();
        let address: Address = key.address();
        let known = || claims.iter().map(|claim| Known { claim: *claim, table: TABLE, at: 0 });
        Self {
            key,
            recover: of(claims.iter().map(|claim| claim.signed)),
            cold: of(known()),
            hot: of(known()),
            messages: of(claims.iter().zip((0..GOOD).cycle()).flat_map(|(claim, number)| {
                let (message, signature) = (message(number), claim.signed.signature);
                Message::copies(&[SignedMessage { message: &message, signature, signer: address }], 0)
            })),
        }
    }

    /// The key whose table is [`TABLE`].
    pub(crate) fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// What a canary signs; two blocks of Keccak for some.
fn message(number: u8) -> Vec<u8> {
    vec![number; 10 * usize::from(number)]
}

fn of<Q: Question>(items: impl Iterator<Item = Q::Item>) -> Vec<Canary<Q>> {
    items.map(|item| Canary { answer: Q::oracle(&item).ok(), item }).collect()
}
