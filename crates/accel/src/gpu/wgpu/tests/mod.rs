//! Every kernel on every card that is here, software ones too; shaders also without.

mod cards;
mod cases;
mod keccak;
mod lanes;
mod numbers;
mod secp;
mod sources;
mod work;
