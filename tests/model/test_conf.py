"""Every file in conf/ is a test case: it composes, builds, runs, and says where its numbers come from."""

import re
from functools import cache
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from sim import study
from sim.engine.loop import simulate
from sim.measure.tally import Event
from sim.model.declare import ScenarioError, leaves
from sim.model.fields import Scenario
from sim.model.scenario import build, to_dict
from sim.model.timeline import make_world
from sim.study.defaults import MEMBER_GROUPS, bases, register_defaults

register_defaults()  # as the program does

CONF = Path(__file__).parents[2] / "conf"
FILES = sorted(CONF.rglob("*.yaml"))
# files of which every row has its source, or which a program has written
DATA = {"casebook", "priors", "facts", "facts_found", "facts_power"}
RUNNER = {"panel", "study", "base_customers", "worlds"}  # keys for the runner, not for the Scenario
WHOLE = ("ages", "market", "scandal", "lever")  # groups of a whole scenario; others are of members


def names(group):
    return sorted(f.stem for f in (CONF / group).glob("*.yaml"))


def how(file):
    """The command-line overrides that put a file of conf/ to use; none for what every scenario is made of."""
    group, name = file.parent.name, file.stem
    if group in WHOLE:
        return [f"{group}={name}"]
    if group == "firm":
        return [f"firm@firms.colgate={name}"]
    return [f"+{group}@{group}s.added={name}"] if group in ("segment", "cohort", "kind") else []


@cache
def composed(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose("config", list(overrides)), resolve=True)


def scenario(*overrides, **changes) -> Scenario:
    return build({k: v for k, v in composed(*overrides).items() if k not in {*RUNNER, "costs"}}, **changes)


def small(s: Scenario) -> Scenario:
    """The same scenario cut short: few people, a horizon just beyond the last event, presence for share."""
    last = max([0, *(e.week for e in (*s.scandals.values(), *s.moves.values()))])
    for firm in s.firms.values():
        firm.presence, firm.share = firm.share or firm.presence, None
    s.people, s.burn_in, s.weeks = 1000, min(s.burn_in, 13), min(s.weeks, max(26, last + 13))
    s.window = min(s.window, 13)
    return build(to_dict(s))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_a_file_composes_builds_and_runs(file):
    s = small(scenario(*how(file)))
    tally = simulate(s).tally
    assert tally.people.sum() == s.people
    uses = tally.flow.sum(axis=(0, 1, 2, 3))[1:]
    assert (uses > 0).sum() >= 0.7 * len(s.firms), uses
    if s.market.regime == "provider":
        assert uses.sum() == s.people * s.weeks
    else:
        expected = s.consumer.rate * s.people * s.weeks
        assert 0.5 * expected < uses.sum() < 2 * expected
    heard = tally.news[..., 0].sum(axis=(0, 1, 2))
    for name, count in zip(s.scandals, heard, strict=True):
        reach = s.scandals[name].reach
        assert 0.7 * reach < count / s.people <= 1, name
    assert tally.event[..., Event.DELIBERATED].sum() > 0


@pytest.mark.parametrize("file", [f for f in FILES if f.stem not in DATA], ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_every_number_says_its_unit_or_source(file):
    bare = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        content, _, comment = line.partition(" #")
        quantity = re.search(r":\s*-?[\d.]+\s*([,}]|$)", content.rstrip())
        if quantity and not line.lstrip().startswith("#") and not comment.strip():
            bare.append(f"{file.name}:{number}: {line.strip()}")
    assert not bare, "\n".join(bare)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_no_line_is_long_and_no_path_is_of_a_machine(file):
    text = file.read_text()
    assert not [line for line in text.splitlines() if len(line) > 120]
    assert not re.search(r"\.\./|/work|/tmp|/home|evidence\.md", text)


@pytest.mark.parametrize("name", names("market"))
def test_shares_of_a_market_sum_to_one_and_its_focus_is_a_firm(name):
    s = scenario(f"market={name}")
    assert sum(firm.share for firm in s.firms.values()) == pytest.approx(1, abs=1e-9)
    assert s.title and composed(f"market={name}")["focus"] in s.firms
    assert s.weeks % s.window == 0 and s.burn_in % s.window == 0


@pytest.mark.parametrize("name", names("scandal"))
def test_a_scandal_happens_to_a_firm_of_its_market(name):
    s = scenario(f"scandal={name}")
    assert s.scandals
    for scandal in s.scandals.values():
        assert (scandal.firm or s.focus) in s.firms
        assert scandal.firm in ("", s.focus)
        assert scandal.week + 26 <= s.weeks, "nothing of its aftermath would be seen"


@pytest.mark.parametrize("name", names("market"))
def test_generic_scandals_and_all_levers_fit_every_market(name):
    generic = [n for n in names("scandal") if not composed(f"scandal={n}")["scandals"].get(n, {"firm": "x"})["firm"]]
    assert {"data_breach", "moral_scandal", "outage"} <= set(generic)
    s = scenario(f"market={name}", f"scandal=[{','.join(generic)}]", f"lever=[{','.join(names('lever'))}]")
    assert set(generic) == set(s.scandals) and len(s.moves) >= len(names("lever"))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.stem}")
def test_whatever_may_be_varied_is_shown(file):
    """So that any number can be overridden on the command line, without a plus."""
    config = composed(*how(file))
    paths = [path for path, _, _ in leaves(scenario(*how(file))) if not path.endswith(".care.added")]
    assert not [path for path in paths if not reached(config, path)]


@pytest.mark.parametrize("name", bases())
def test_defaults_are_those_that_are_declared(name):
    """What presets build on has every field with its declared default: there is no second one."""
    members = ("segments", "cohorts", "firms", "scandals", "moves", "policies")
    bare = to_dict(build({"weeks": 99, **{g: {"a": {}} for g in members}}))
    shown = OmegaConf.to_container(ConfigStore.instance().load(f"base/{name}.yaml").node)
    if name == "scenario":
        given = dict.fromkeys(("weeks", "focus", *MEMBER_GROUPS))
        assert shown | given == bare | given
    else:
        assert shown == bare["policies" if name == "policy" else f"{name}s"]["a"]


def test_the_kinds_of_scandal_are_the_same_from_the_shell_and_in_python():
    plain = build({"segments": {"a": {}}, "firms": {"a": {}}})
    assert {n: kind.care for n, kind in scenario().kinds.items()} == {n: kind.care for n, kind in plain.kinds.items()}
    assert all(kind.meaning for kind in scenario().kinds.values())


def test_a_fourth_kind_of_scandal_is_one_file(tmp_path):
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / "labor.yaml").write_text("meaning: working conditions\ncare: 1.5\n")
    arguments = [f"hydra.searchpath=[file://{tmp_path}]", "scandal=moral_scandal", "scandals.moral_scandal.kind=labor"]
    added = study.uncalibrated(*arguments, "+kind@kinds.labor=labor", "segments.ethical.care.labor=2")
    assert added.kinds["labor"].care == 1.5 and added.segments["habitual"].care["labor"] == 1.0
    assert make_world(added).care[:, 3].tolist() == [3.0, 1.5, 1.5]
    with pytest.raises(ScenarioError, match=r"'labr' is not known; did you mean labor\?"):
        study.uncalibrated(*arguments[:2], "+kind@kinds.labor=labor", "scandals.moral_scandal.kind=labr")
    with pytest.raises(ScenarioError, match="'labor' is not known; known: ethics, privacy, service"):
        study.uncalibrated(*arguments)


def reached(config, path):
    for step in path.split("."):
        if not isinstance(config, dict) or step not in config:
            return False
        config = config[step]
    return True


def test_only_the_runner_keys_are_no_part_of_a_scenario():
    assert set(composed()) - set(to_dict(scenario())) == RUNNER


def test_the_command_line_wins_over_market_and_events():
    s = scenario("market=bank", "scandal=coop_bank", "people=77", "window=26", "firms.coop.quality=0.5", "focus=rbs")
    assert (s.people, s.window, s.firms["coop"].quality, s.focus) == (77, 26, 0.5, "rbs")
    assert scenario("scandal=dieselgate_us").focus == "vw", "a preset brings its own market"


def test_kinds_of_people_are_added_left_out_and_crossed_with_ages():
    s = scenario("+segment@segments.hunter=bargain_hunter", "~segment@segments.ethical", "ages=three")
    assert list(s.segments) == ["skeptical", "habitual", "hunter"]
    assert list(s.cohorts) == ["young", "middle", "old"]
    one = scenario("cohort@cohorts.all=young", "+cohort@cohorts.old=old")
    assert list(one.cohorts) == ["all", "old"] and one.cohorts["all"].action == 1.7


@pytest.mark.parametrize("name", names("segment"))
def test_on_a_shelf_everybody_looks(name):
    """A factor on attention makes no shelf inattentive: the least attentive has 1, and the product stops at 1."""
    s = scenario(f"+segment@segments.added={name}")
    assert s.consumer.attention * s.segments["added"].attention >= 1
