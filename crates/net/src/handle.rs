//! The node's side of the network task.

use crate::address::is_plain;
use crate::task::{Ends, Task};
use crate::{
    BlocksRequest, GossipId, Head, NetCommand, NetConfig, NetError, NetEvent, Peer, PeerAuth, PeerInfo, Verdict,
    behaviour, load_or_create_identity,
};
use libp2p::{Multiaddr, PeerId};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::{mpsc, oneshot};
use vigil_primitives::{Address, Bytes, SignDomain};

/// Commands that may wait for the task.
const COMMANDS_MAX: usize = 8_192;
/// Events that may wait for the node outside the task's own, ordered queue. Small, so that votes overtake transactions.
const EVENTS_MAX: usize = 64;

/// Starts network tasks.
#[derive(Debug)]
pub struct Network;

impl Network {
    /// Loads or makes the node key, listens, starts the task on the current tokio runtime.
    ///
    /// Returns when every listener has its address. `chain` names the chain in protocol names and signatures; `head` is our
    /// settled head, told to peers until [`NetCommand::PublishStatus`].
    ///
    /// # Errors
    /// [`NetError`]: the key file, the data directory, an address that cannot be listened on or advertised.
    pub async fn start(
        config: NetConfig,
        chain: SignDomain,
        head: Head,
        auth: Arc<dyn PeerAuth>,
    ) -> Result<(NetHandle, mpsc::Receiver<NetEvent>), NetError> {
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|source| NetError::File { path: config.data_dir.clone(), source })?;
        if let Some(address) = config.advertise.iter().find(|address| !is_plain(address)) {
            return Err(NetError::Advertise { address: address.clone() });
        }
        let key = load_or_create_identity(&config.data_dir.join("p2p.key"))?;
        let mut swarm = behaviour::swarm(&config, &chain, &key)?;
        let addresses = behaviour::listen(&mut swarm, &config.listen).await?;
        let (commands, commands_in) = mpsc::channel(COMMANDS_MAX);
        let (events, events_out) = mpsc::channel(EVENTS_MAX);
        let ready = Arc::new(AtomicUsize::new(0));
        let local = *swarm.local_peer_id();
        let ends = Ends { commands: commands_in, events, ready: ready.clone() };
        let task = Task::new(swarm, config, chain, head, auth, ends)?;
        tokio::spawn(task.run());
        Ok((NetHandle { commands, local, addresses: addresses.into(), ready }, events_out))
    }
}

/// Sends commands to the network task. Cheap to clone. The task ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub struct NetHandle {
    commands: mpsc::Sender<NetCommand>,
    local: PeerId,
    addresses: Arc<[Multiaddr]>,
    ready: Arc<AtomicUsize>,
}

impl NetHandle {
    /// Our libp2p identity.
    pub fn local_peer_id(&self) -> PeerId {
        self.local
    }

    /// Addresses listened on when the task started, each with `/p2p/<peer id>`: what others use as a seed.
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// Peers that have said hello.
    pub fn peer_count(&self) -> usize {
        self.ready.load(Ordering::Relaxed)
    }

    /// Hands a command over without waiting.
    ///
    /// # Errors
    /// [`NetError::Busy`] if the queue is full (the command is dropped), [`NetError::Closed`] if the task has ended.
    pub fn send(&self, command: NetCommand) -> Result<(), NetError> {
        self.commands.try_send(command).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                metrics::counter!("vigil_net_dropped_total", "queue" => "commands").increment(1);
                NetError::Busy
            }
            mpsc::error::TrySendError::Closed(_) => NetError::Closed,
        })
    }

    /// [`NetCommand::SetValidators`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn set_validators(&self, validators: Vec<Address>) -> Result<(), NetError> {
        self.send(NetCommand::SetValidators(validators))
    }

    /// [`NetCommand::SendConsensus`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn send_consensus(&self, peer: Peer, bytes: Bytes) -> Result<(), NetError> {
        self.send(NetCommand::SendConsensus { peer, bytes })
    }

    /// [`NetCommand::BroadcastConsensus`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn broadcast_consensus(&self, bytes: Bytes) -> Result<(), NetError> {
        self.send(NetCommand::BroadcastConsensus(bytes))
    }

    /// [`NetCommand::SendGuardian`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn send_guardian(&self, peer: Peer, bytes: Bytes) -> Result<(), NetError> {
        self.send(NetCommand::SendGuardian { peer, bytes })
    }

    /// [`NetCommand::PublishTxs`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn publish_txs(&self, txs: Vec<Bytes>) -> Result<(), NetError> {
        self.send(NetCommand::PublishTxs(txs))
    }

    /// [`NetCommand::PublishStatus`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn publish_status(&self, head: Head) -> Result<(), NetError> {
        self.send(NetCommand::PublishStatus(head))
    }

    /// [`NetCommand::RequestBlocks`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn request_blocks(&self, peer: Peer, id: u64, request: BlocksRequest) -> Result<(), NetError> {
        self.send(NetCommand::RequestBlocks { peer, id, request })
    }

    /// [`NetCommand::Report`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn report(&self, message: GossipId, verdict: Verdict) -> Result<(), NetError> {
        self.send(NetCommand::Report { message, verdict })
    }

    /// [`NetCommand::Penalize`].
    ///
    /// # Errors
    /// As [`NetHandle::send`].
    pub fn penalize(&self, peer: Peer, points: u32, reason: impl Into<String>) -> Result<(), NetError> {
        self.send(NetCommand::Penalize { peer, points, reason: reason.into() })
    }

    /// Who is connected, by number ascending.
    ///
    /// # Errors
    /// [`NetError::Closed`] if the task has ended.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, NetError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(NetCommand::Peers(reply)).await.map_err(|_| NetError::Closed)?;
        answer.await.map_err(|_| NetError::Closed)
    }

    /// Saves bans and addresses, closes all connections, returns when the task has ended.
    pub async fn shutdown(self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(NetCommand::Shutdown(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }
}
