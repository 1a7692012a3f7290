"""Where a population last stood: a file a shard, in a folder that all machines share."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sim.engine.cluster.actor import source
from sim.model.fields import Scenario
from sim.model.scenario import to_dict


@dataclass
class Checkpoints:
    """The files of one population in a folder, named after all that decides what is in them."""

    folder: Path | None
    name: str
    shards: int

    def paths(self, replication: int, lived: int) -> list[str]:
        """A file a shard, after so many weeks lived."""
        stem = f"{self.name}-{replication}-{lived}"
        return [
            str((self.folder or Path()).absolute() / f"{stem}-{n}of{self.shards}.shard") for n in range(self.shards)
        ]

    def last(self, replication: int) -> int:
        """After how many weeks all shards last wrote one; 0 = never."""
        found = self.folder.glob(f"{self.name}-{replication}-*-0of{self.shards}.shard") if self.folder else ()
        weeks = (int(path.name.split("-")[2]) for path in found)
        return max((w for w in weeks if all(Path(p).exists() for p in self.paths(replication, w))), default=0)

    def forget(self, replication: int, before: int) -> None:
        """Remove those that are older."""
        for path in self.folder.glob(f"{self.name}-{replication}-*.shard") if self.folder else ():
            if int(path.name.split("-")[2]) < before:
                path.unlink(missing_ok=True)


def name_of(scenario: Scenario, links: Any) -> str:
    """A name for all that decides what people do, the order of firms included, which numbers them in every draw."""
    sha = hashlib.sha256((source() + json.dumps(to_dict(scenario))).encode())
    for rows in links or ():
        sha.update(np.ascontiguousarray(rows).data)
    return sha.hexdigest()[:16]
