"""Everybody, on many machines: shards of one population as Ray actors, with the same result as one process.

A shard is whole groups of people, so there are at most GROUPS of them, each a process with one thread. Between weeks
it sends every other shard what somebody there can hear, and nothing else: 12 bytes a message or piece of fresh news,
from actor to actor; the driver hands on references, some weeks ahead of the actors. The market needs nothing: its
story is in the scenario, and counts are added up at the end.

Deaths: whoever dies, actor or node, takes part of the population along, and the others are soon waiting for it. Then
all begin again where all of them last stood together. That is a checkpoint: a file a shard, whole or not at all, in a
folder that all machines share. Neither the object store (it dies with its node) nor the driver (which holds no people)
would do; and the folder outlives the driver, so the same call made again goes on from there. Without a folder they
begin again at birth, which costs time only, for every draw is a function of its address.

Every machine has this package installed in one version (which is checked) and sees the folder; only the driver reads
the files of a scenario. `experiments/benchmarks/cluster.py` shows two nodes, kills one, and says what 10^9 people cost.
"""

from sim.engine.cluster.actor import ShardActor, Week, source
from sim.engine.cluster.checkpoints import Checkpoints
from sim.engine.cluster.pool import ActorPool, simulate

__all__ = ["ActorPool", "Checkpoints", "ShardActor", "Week", "simulate", "source"]
