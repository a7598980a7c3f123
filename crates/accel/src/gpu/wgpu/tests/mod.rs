mod cards;
mod keccak;
mod lanes;
mod numbers;
mod secp;
mod sources;
mod work;
