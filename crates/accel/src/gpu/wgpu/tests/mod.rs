mod cards;
mod keccak;
mod numbers;
mod secp;
mod sources;
mod work;
