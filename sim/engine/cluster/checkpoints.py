"""Checkpoints: one file per shard and saved week, in a folder that all machines share."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.engine.cluster.actor import source
from sim.model.fields import Scenario
from sim.model.network import Links
from sim.model.scenario import to_dict


@dataclass
class Checkpoints:
    """The files of one population in a folder, named after all that decides what is in them."""

    folder: Path | None
    name: str
    shards: int

    def paths(self, replication: int, weeks: int) -> list[str]:
        """The file of each shard after so many weeks."""
        stem = f"{self.name}-{replication}-{weeks}"
        return [
            str((self.folder or Path()).absolute() / f"{stem}-{n}of{self.shards}.shard") for n in range(self.shards)
        ]

    def last(self, replication: int) -> int:
        """The last number of weeks after which all shards wrote a file; 0 = none."""
        found = self.folder.glob(f"{self.name}-{replication}-*-0of{self.shards}.shard") if self.folder else ()
        saved = (int(path.name.split("-")[2]) for path in found)
        return max((w for w in saved if all(Path(p).exists() for p in self.paths(replication, w))), default=0)

    def forget(self, replication: int, before: int) -> None:
        """Remove the files of fewer weeks than `before`."""
        for path in self.folder.glob(f"{self.name}-{replication}-*.shard") if self.folder else ():
            if int(path.name.split("-")[2]) < before:
                path.unlink(missing_ok=True)


def name_of(scenario: Scenario, links: Links | None) -> str:
    """A hash of all that decides what people do: the package, the network, and the scenario with its order of firms."""
    sha = hashlib.sha256((source() + json.dumps(to_dict(scenario))).encode())
    for rows in links or ():
        sha.update(np.ascontiguousarray(rows).data)
    return sha.hexdigest()[:16]
