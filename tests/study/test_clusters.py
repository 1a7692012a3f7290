"""The same study on a Ray cluster of two nodes, one of them killed, and as jobs of submitit: the same bytes."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from sim import study
from sim.model.declare import ScenarioError
from tests.markets import market

HERE = Path(__file__).parents[2]
QUALITY = {"firms.f0.quality": [0.0, 1.0]}
SMALL = {"people": 400, "weeks": 26, "replications": 30}

CODE = """
import os, sys
from pathlib import Path
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
from ray.cluster_utils import Cluster
from sim import study
from sim.study.journal import Journal
from tests.markets import market
from tests.study.test_clusters import QUALITY, SMALL

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
other = cluster.add_node(num_cpus=1)
cluster.wait_for_nodes()
add, kept = Journal.add, []

def kill(self, key, outcome):
    add(self, key, outcome)
    kept.append(key)
    if len(kept) == 6:
        cluster.remove_node(other, allow_graceful=False)

Journal.add = kill
study.run(market(SMALL), QUALITY, folder=sys.argv[1], workers=cluster.address, quiet=True)
Path(sys.argv[1], "kept").write_text(f"{len(kept)} {len(set(kept))}")
cluster.shutdown()
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    study.run(market(SMALL), QUALITY, folder=folder, quiet=True)
    return (folder / "study.parquet").read_bytes()


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (pip install -e '.[cluster]')")
def test_a_node_of_a_ray_cluster_is_killed(tmp_path, whole):
    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path], cwd=HERE, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "study.parquet").read_bytes() == whole
    assert (tmp_path / "kept").read_text() == "60 60", "the rows after the kill, the sixth, and no row twice"


@pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed (pip install -e '.[cluster]')")
def test_no_cluster_at_an_address():
    with pytest.raises(ScenarioError, match=r"workers: no Ray cluster answers at 127\.0\.0\.1:1"):
        study.run(market(SMALL), QUALITY, workers="127.0.0.1:1", quiet=True)


@pytest.mark.skipif(find_spec("submitit") is None, reason="submitit is not installed (pip install -e '.[slurm]')")
def test_jobs_of_submitit(tmp_path, whole):
    """Its local executor starts them as Slurm's would."""
    import submitit

    executor = submitit.AutoExecutor(folder=tmp_path / "log", cluster="local")
    executor.update_parameters(timeout_min=5)
    study.run(market(SMALL), QUALITY, folder=tmp_path / "out", workers=executor, quiet=True)
    assert (tmp_path / "out/study.parquet").read_bytes() == whole
