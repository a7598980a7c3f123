//! libp2p: transports, gossip, direct streams, peer scoring.
#![forbid(unsafe_code)]
