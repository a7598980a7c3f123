//! Stake pools, reward distribution, stake on its way back.

use super::Context;
use crate::json::{HolderJson, ReturnJson, StakeJson};
use crate::jsonrpc::{Answer, Args, RpcError, lenient_address};
use crate::{AtBlock, Read, StakeReturn};
use serde::Serialize;
use vigil_primitives::{EdgeNode, Hash, RewardDistribution};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct VcpPair {
    block_hash: Hash,
    vcp: Vcp,
    height_list: HeightList,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Vcp {
    sorted_candidates: Vec<HolderJson>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct HeightList {
    heights: Vec<u64>,
}

pub(super) async fn validators(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Pairs {
        #[serde(rename = "BlockHashVcpPairs")]
        pairs: Vec<VcpPair>,
    }
    let height = args.u64s("height")?;
    let pools = or_empty(ctx.backend.validator_pools(height).await?, "VCP", height)?;
    let pair = |at: AtBlock<crate::Validators>| VcpPair {
        block_hash: at.block_hash,
        vcp: Vcp { sorted_candidates: holders(at.value.pool.sorted_candidates.iter()) },
        height_list: HeightList { heights: at.value.heights },
    };
    out.write(&Pairs { pairs: pools.into_iter().map(pair).collect() })
}

pub(super) async fn guardians(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Pairs {
        #[serde(rename = "BlockHashGcpPairs")]
        pairs: Vec<GcpPair>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct GcpPair {
        block_hash: Hash,
        gcp: Gcp,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Gcp {
        sorted_guardians: Vec<HolderJson>,
    }
    let height = args.u64s("height")?;
    let pools = or_empty(ctx.backend.guardian_pools(height).await?, "GCP", height)?;
    let pair = |at: &AtBlock<vigil_primitives::GuardianPool>| GcpPair {
        block_hash: at.block_hash,
        gcp: Gcp { sorted_guardians: holders(at.value.sorted_guardians.iter().map(|g| &g.holder)) },
    };
    out.write(&Pairs { pairs: pools.iter().map(pair).collect() })
}

pub(super) async fn edge_nodes(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Pairs {
        #[serde(rename = "BlockHashEenpPairs")]
        pairs: Vec<EenpPair>,
    }
    #[derive(Serialize)]
    struct EenpPair {
        #[serde(rename = "BlockHash")]
        block_hash: Hash,
        #[serde(rename = "EENs")]
        nodes: Vec<HolderJson>,
    }
    let height = args.u64s("height")?;
    let pair = |at: AtBlock<Vec<EdgeNode>>| EenpPair {
        block_hash: at.block_hash,
        nodes: holders(at.value.iter().map(|node| &node.holder)),
    };
    let found = edge_nodes_at(ctx, height).await?;
    out.write(&Pairs { pairs: found.into_iter().map(pair).collect() })
}

pub(super) async fn edge_node_stake(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Found {
        stake: StakeJson,
    }
    let (height, withdrawn_only) = (args.u64s("height")?, args.flag("withdrawn_only")?);
    let (source, holder) = (args.typed_address("source")?, args.typed_address("holder")?);
    let nodes = edge_nodes_at(ctx, height).await?;
    let stakes =
        nodes.iter().flat_map(|at| &at.value).filter(|n| n.holder.holder == holder).flat_map(|n| &n.holder.stakes);
    let mut wanted = stakes.filter(|stake| stake.source == source && (stake.withdrawn || !withdrawn_only));
    let missing = || RpcError::method(format!("no stake of {source} with {holder} at height {height}"));
    out.write(&Found { stake: wanted.next().ok_or_else(missing)?.into() })
}

async fn edge_nodes_at(ctx: &Context, height: u64) -> Result<Option<AtBlock<Vec<EdgeNode>>>, RpcError> {
    or_empty(ctx.backend.edge_nodes(height).await?, "EENP", height)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct RuleJson {
    stake_holder: vigil_primitives::Address,
    beneficiary: vigil_primitives::Address,
    split_basis_point: u64,
}

impl From<&RewardDistribution> for RuleJson {
    fn from(rule: &RewardDistribution) -> Self {
        Self {
            stake_holder: rule.stake_holder,
            beneficiary: rule.beneficiary,
            split_basis_point: rule.split_basis_point,
        }
    }
}

pub(super) async fn reward_distributions(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Pairs {
        #[serde(rename = "BlockHashStakeRewardDistributionRuleSetPairs")]
        pairs: Vec<RulesPair>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct RulesPair {
        block_hash: Hash,
        stake_reward_distribution_rule_set: Vec<Option<RuleJson>>,
    }
    let (height, asked) = (args.u64s("height")?, args.text("address")?);
    let holder = (!asked.is_empty()).then(|| lenient_address(&asked));
    let found = ctx.backend.reward_distributions(height, holder).await?;
    let pair = |at: &AtBlock<Vec<RewardDistribution>>| {
        let mut rules: Vec<Option<RuleJson>> = at.value.iter().map(|rule| Some(rule.into())).collect();
        if rules.is_empty() && holder.is_some() {
            rules.push(None);
        }
        RulesPair { block_hash: at.block_hash, stake_reward_distribution_rule_set: rules }
    };
    let found = or_empty(found, "stake reward distribution rule set", height)?;
    out.write(&Pairs { pairs: found.iter().map(pair).collect() })
}

pub(super) async fn stake_returns(ctx: &Context, args: &Args<'_>, out: &mut Answer<'_>) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Returns {
        #[serde(rename = "EENStakeReturns")]
        returns: Vec<ReturnJson>,
    }
    let found = ctx.backend.stake_returns(args.u64s("height")?).await?;
    out.write(&Returns { returns: returns(&found) })
}

pub(super) async fn pending_stake_returns(
    ctx: &Context,
    _args: &Args<'_>,
    out: &mut Answer<'_>,
) -> Result<(), RpcError> {
    #[derive(Serialize)]
    struct Pairs {
        #[serde(rename = "EENHeightStakeReturnsPairs")]
        pairs: Vec<ReturnsPair>,
    }
    #[derive(Serialize)]
    struct ReturnsPair {
        #[serde(rename = "HeightKey")]
        height_key: String,
        #[serde(rename = "EENStakeReturns")]
        returns: Vec<ReturnJson>,
    }
    let found = ctx.backend.pending_stake_returns().await?;
    let pairs = found
        .iter()
        .map(|(height, stakes)| ReturnsPair { height_key: format!("ls/eensrk/{height}"), returns: returns(stakes) });
    out.write(&Pairs { pairs: pairs.collect() })
}

fn returns(stakes: &[StakeReturn]) -> Vec<ReturnJson> {
    stakes.iter().map(ReturnJson::from).collect()
}

fn holders<'a>(holders: impl Iterator<Item = &'a vigil_primitives::StakeHolder>) -> Vec<HolderJson> {
    holders.map(HolderJson::from).collect()
}

/// No block at the height, nothing there: an empty list, as in the reference.
fn or_empty<T: Default>(read: Read<T>, what: &str, height: u64) -> Result<T, RpcError> {
    match read {
        Read::Found(value) => Ok(value),
        Read::Missing | Read::NoBlock => Ok(T::default()),
        Read::Pruned => {
            Err(RpcError::method(format!("the {what} for height {height} does not exists, it might have been pruned")))
        }
    }
}
