"""Joining a Ray cluster: the one at an address, the one that this process has joined already, or this machine."""

import os
import socket
from typing import Any

from sim.model.declare import ScenarioError

PATIENCE = 10.0  # seconds in which a cluster's address must answer; Ray by itself tries for many minutes


def join_cluster(address: str | None, what: str) -> tuple[Any, bool]:
    """Ray, joined to a cluster, and whether this process had joined it before.

    ScenarioError, about the argument `what`, if Ray is missing, or if nothing answers at the address.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of a death: it is raised once, and handled
    try:
        import ray
    except ImportError:
        raise ScenarioError([f"{what}: ray is missing; pip install -e '.[cluster]'"]) from None
    if ray.is_initialized():
        return ray, True
    own = {} if address else {"include_dashboard": False}
    try:
        _answers(address or "local")
        ray.init(address or "local", log_to_driver=False, logging_level="ERROR", **own)
    except (OSError, ValueError, RuntimeError, SystemExit) as error:  # Ray ends the process where nothing answers
        raise ScenarioError([f"{what}: no Ray cluster answers at {address}: {error}"]) from None
    return ray, False


def _answers(address: str) -> None:
    """OSError if an address HOST:PORT refuses a connection, or is silent."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
