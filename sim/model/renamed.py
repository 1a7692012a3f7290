"""The names that fields, segments and mechanisms had before, and what they are called now."""

from collections.abc import Collection
from itertools import product

MOST_DOTS = 5  # dots of the longest path of a field
RENAMED = {  # old name: new names, of which the one that is known where it stands is meant
    "looks": ("consideration_size", "consideration"),
    "exit_friction": ("switching_cost",),
    "friction": ("switching_cost",),
    "friction_deterrence": ("switching_cost_deterrence",),
    "friction_backlash": ("switching_cost_backlash",),
    "friction_mild": ("switching_cost_tolerated",),
    "moments": ("delight_rate",),
    "moment_peak": ("delight_peak",),
    "moment_size": ("delight_threshold",),
    "execution": ("exit_rate",),
    "confirm": ("confirmation_bias",),
    "paradox": ("recovery_paradox",),
    "word_good": ("positive_wom",),
    "word_bad": ("negative_wom",),
    "word_weight": ("wom_weight",),
    "spill": ("spillover",),
    "hit": ("harmed_share",),
    "hit_severity": ("harm_severity",),
    "neighbours": ("neighbors",),
    "sceptical": ("skeptical",),
    **{f"care_{kind}": (f"care.{kind}", f"kinds.{kind}.care") for kind in ("ethics", "privacy", "service")},
}


def renamed(path: str, known: Collection[str]) -> str:
    """The present name of an old one, which may be a dotted path, among the known ones; "" if there is none.

    >>> renamed("exit_friction", ["price", "switching_cost"])
    'switching_cost'
    >>> renamed("segments.sceptical.looks", ["segments.skeptical.consideration_size"])
    'segments.skeptical.consideration_size'
    >>> renamed("care_ethics", ["price_weight", "trust_weight"])
    'kinds.ethics.care'
    """
    if path.count(".") > MOST_DOTS:
        return ""
    for new in map(".".join, product(*((name, *RENAMED.get(name, ())) for name in path.split(".")))):
        new = new[max(0, new.find("kinds.")) :]  # care has a part of its own now, wherever it was before
        first = new.partition(".")[0]
        if new != path and (new in known or ("." not in path and first in {*known, "kinds"})):
            return new
    return ""
