"""One population on many machines: its shards are Ray actors, and the result is that of one process, to the bit.

A shard is whole folds of people, so there are at most FOLDS of them, each a process with one thread. Between weeks an
actor sends every other actor the messages and fresh news that reach people there, and nothing else: 12 bytes each,
from actor to actor. The driver passes on references only, some weeks ahead of the actors. Firms need no exchange:
scandals and moves are in the scenario, and counts are added up at the end.

Failures: an actor or node that dies takes its part of the population with it, and the others soon wait for it. Then
all of them start again from the last week they all saved: a checkpoint, one file per shard, written whole or not at
all, in a folder that all machines share. The object store would not do (it dies with its node), nor the driver (it
holds no people). The folder outlives the driver, so the same call made again continues from there. Without a folder
they start again from the first week, which costs time only, because every draw is a function of its address.

Every machine needs the same version of this package (this is checked) and the shared folder; only the driver reads the
files of a scenario. `simulate` is the cluster's public name, beside `sim.engine.loop.simulate` for one machine.
`experiments/benchmarks/cluster.py` runs two nodes, kills one, and says what 10^9 people cost.
"""

from sim.engine.cluster.actor import ShardActor, WeekTiming, source
from sim.engine.cluster.checkpoints import Checkpoints
from sim.engine.cluster.pool import ActorPool, simulate

__all__ = ["ActorPool", "Checkpoints", "ShardActor", "WeekTiming", "simulate", "source"]
