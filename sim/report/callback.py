"""What Hydra calls before it makes a folder; named in `launch`, so that only a run imports this file."""

from typing import TYPE_CHECKING

from hydra.experimental.callback import Callback

from sim.report.claims import before_run, before_sweep

if TYPE_CHECKING:
    from omegaconf import DictConfig


class BeforeFolders(Callback):
    """Refuses what is wrong, and notes what is new, before Hydra writes anything."""

    def on_run_start(self, config: "DictConfig", **kwargs: object) -> None:
        """Called with the composed config of a single run."""
        before_run(config)

    def on_multirun_start(self, config: "DictConfig", **kwargs: object) -> None:
        """Called with the composed config of a sweep."""
        before_sweep(config)
