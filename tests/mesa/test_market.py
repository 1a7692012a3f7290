"""The Mesa model: agents and kernel give the same bits, attributes are views of arrays, Mesa's idioms work."""

import gc
import os
import pickle
import shutil
import subprocess
import weakref
from functools import cache, partial
from pathlib import Path

import mesa
import networkx as nx
import numpy as np
import pytest

from sim.engine.loop import simulate
from sim.measure.estimates import by_window
from sim.measure.metrics import pair_index, penetration
from sim.measure.tally import Event
from sim.mesa import MOST_AGENTS, Competitor, Consumer, Market
from sim.model.declare import ScenarioError
from sim.model.network import links
from sim.model.scenario import build, change, to_dict
from sim.model.state import AWARE, flag_table
from sim.study.presets import compose, presets, stated
from tests.engine.test_same_bits import WORLDS, digest
from tests.markets import market as written

ROOT = Path(__file__).parents[2]
SMALL = {"people": 240, "weeks": 12, "window": 4, "burn_in": 4, "scandals": {}, "moves": {}}
PRESETS = [f"{group}={name}" for group in ("market", "scandal", "lever") for name in presets(group)]


def small(changes=None):
    """The lively market of the tests, few people and weeks, without events."""
    return written({**WORLDS["repertoire"], **SMALL, **(changes or {})})


@cache
def preset(*overrides):
    """A preset cut short, its events in the second and third week, presence for share."""
    s = stated(compose(overrides)[0], overrides)
    for firm in s.firms.values():
        firm.presence, firm.share = firm.share or firm.presence, None
    for event in (*s.scandals.values(), *s.moves.values()):
        event.week = 2 if event in s.scandals.values() else 3
    s.people, s.weeks, s.window, s.burn_in = 200, 10, 5, 3
    return build(to_dict(s))


def simulated(scenario, weeks=None, **how):
    market = Market(scenario, **how)
    for _ in range(weeks if weeks is not None else market.scenario_now.weeks):
        market.step()
    return market


# ---------------------------------------------------------------- the same numbers


@pytest.mark.parametrize("override", PRESETS)
def test_agents_in_shuffled_order_and_kernel_give_the_same_tally(override):
    scenario = preset(override)
    agents = simulated(scenario, activation="agents")
    assert digest(agents.tally) == digest(simulated(scenario, agents=False).tally)
    assert agents.tally.flow.sum() > 0


@pytest.mark.parametrize("world", WORLDS)
def test_a_market_gives_what_simulate_gives(world):
    scenario = written({**WORLDS[world], "people": 300, "burn_in": 5})
    run = simulate(scenario)
    for activation in ("kernel", "agents"):
        market = simulated(scenario, activation=activation)
        assert digest(market.tally) == digest(run.tally)
        assert not market.running
        result = market.result()
        assert result.scenario == run.scenario and digest(result.tally) == digest(run.tally)


def test_the_order_of_agents_is_mesa_s_and_does_not_matter():
    met = []

    class Noted(Consumer):
        def step(self):
            met.append(self.row)
            super().step()

    market = simulated(small(), 1, activation="agents", consumer_class=Noted)
    assert sorted(met) == list(range(240)) != met
    market.random.seed(99)
    market.step()
    assert met[240:] != met[:240] and digest(market.tally) == digest(simulated(small(), 2).tally)


def test_another_mesa_gives_the_same():
    """Where another Python has another Mesa and the other dependencies; elsewhere skipped."""
    others = [p for v in ("3.11", "3.12", "3.13") if (p := shutil.which(f"python{v}")) and _other_mesa(p)]
    if not others:
        pytest.skip(f"no Python here has another Mesa than {mesa.__version__}")
    code = (
        "from sim.mesa import Market; from tests.markets import market\n"
        "from tests.engine.test_same_bits import WORLDS, digest\n"
        "for a in ('kernel', 'agents'):\n"
        "    m = Market(market({**WORLDS['repertoire'], 'people': 300}), activation=a); m.run_model()\n"
        "    print(digest(m.tally))"
    )
    here = digest(simulate(written({**WORLDS["repertoire"], "people": 300})).tally)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for python in others:
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, env=env, cwd=ROOT, check=False)
        assert done.stdout.split() == [here, here], done.stderr[-2000:]


def _other_mesa(python):
    probe = f"import mesa, numba, hydra, sys; sys.exit(mesa.__version__ == {mesa.__version__!r})"
    return subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0


# ---------------------------------------------------------------- Mesa's idioms


def test_the_market_of_the_command_line_is_the_default():
    market = Market(people=300, burn_in=0, weeks=13, rng=5)
    market.step()
    assert "colgate" in market.firms and market.scenario_now.seed == 5
    assert sum(c.share() for c in market.competitors) == pytest.approx(1)


def test_frames_of_the_data_collector():
    market = simulated(small(), agent_reporters={"trust": "trust", "firm": lambda a: getattr(a, "last", None)})
    frame = market.datacollector.get_model_vars_dataframe()
    assert list(frame.index) == list(range(12)) and frame.index.dtype.kind == "i"
    shares = frame[[f"share.{firm}" for firm in market.firms]]
    assert np.allclose(shares.sum(axis=1), 1)
    assert {"stickiness.f0", "churn.f0", "trust.f0", "uses.f0", "polarization", "wom_ratio"} <= set(frame)
    agents = market.datacollector.get_agent_vars_dataframe()
    last = agents.xs(12, level="Step")
    assert len(last) == 240 + 6 and last["firm"].value_counts()["f0"] == market.competitor["f0"].customers


def test_a_window_s_last_week_reads_what_the_run_s_table_says():
    market = simulated(small(), 8)
    counts = by_window(market.tally)
    for name, metric in {"stickiness": pair_index, "penetration": penetration}.items():
        of_window = metric(type(counts)(*(a.sum(axis=0) for a in counts)))[-1]
        assert [market.readings[f"{name}.{f}"] for f in market.firms] == of_window.tolist()
    before, row = market.tally, market.people.one.copy()
    assert market.measure("stickiness").error.shape == (6,)
    market.step()
    assert market.measure("stickiness", cells=[0]).value.shape == (6,) and market.now.window.shape[1] == 1
    assert digest(before) != digest(market.tally) and not (row == market.people.one).all()


def test_reading_changes_nothing():
    assert digest(simulated(small(), collect=False).tally) == digest(simulated(small()).tally)


def test_batch_run():
    rows = mesa.batch_run(
        Market,
        {"base": small(), "segments__all__attention": [0.2, 1.0], "seed": [1, 2]},
        max_steps=12,
        display_progress=False,
    )
    assert len(rows) == 4 and len({row["share.f0"] for row in rows}) == 4
    alone = simulated(small({"segments.all.attention": 0.2, "seed": 2}))
    [same] = [row for row in rows if row["seed"] == 2 and row["segments__all__attention"] == 0.2]
    assert same["share.f0"] == alone.competitor["f0"].share()


def test_agent_sets_select_aggregate_and_group():
    market = simulated(small(), 4)
    consumers = market.agents.select(agent_type=Consumer)
    assert len(consumers) == len(market.consumers) == 240 and len(market.competitors) == 6
    people = market.people.one
    assert consumers.agg("attention", np.mean) == pytest.approx(people["attention"].mean())
    assert 0 < consumers.select(lambda c: c.last is not None).agg("trust", np.mean) < 1
    by_segment = market.consumers.groupby("segment").count()
    assert set(by_segment) == {"all", "other"} and sum(by_segment.values()) == 240
    assert market.consumers.get("number") == list(range(240))
    market.consumers.select(lambda c: c.segment == "other").set("attention", 0.25)
    assert (people["attention"] == 0.25).sum() == by_segment["other"]


@pytest.mark.parametrize("activation", ["kernel", "agents"])
def test_a_pickled_market_goes_on_the_same(activation):
    market = simulated(small({"scandals": {"leak": {"firm": "f0", "week": 5}}}), 4, activation=activation)
    copied = pickle.loads(pickle.dumps(market))
    for one in (market, copied):
        for _ in range(5):
            one.step()
    assert digest(market.tally) == digest(copied.tally) and copied.week == 9
    assert copied.consumers.get("last") == market.consumers.get("last")
    frames = [m.datacollector.get_model_vars_dataframe() for m in (market, copied)]
    assert frames[0].equals(frames[1])


def test_a_market_without_references_is_freed():
    market = simulated(small(), 2, activation="agents")
    known = weakref.ref(market)
    del market
    gc.collect()
    assert known() is None


def test_mesa_draws_the_grid():
    pytest.importorskip("solara", reason="Mesa's drawers need solara")
    from matplotlib.figure import Figure
    from mesa.visualization.components import AgentPortrayalStyle
    from mesa.visualization.mpl_space_drawing import draw_space

    market = simulated(small(), 2)
    axes = Figure().add_subplot()
    draw_space(market.grid, lambda a: AgentPortrayalStyle(color="r" if a.last == "f0" else "b"), ax=axes)
    assert sum(len(c.get_offsets()) for c in axes.collections) == 240
    assert market.grid.get_cell_list_contents([(3, 1)])[0].row == market.grid.width + 3


def test_solara_viz_steps_and_resets():
    """As Mesa's documentation has it: a page of the model with its space and a plot, one step, a reset."""
    solara = pytest.importorskip("solara", reason="the page needs solara")
    import ipyvuetify
    from mesa.visualization import SolaraViz, make_plot_component, make_space_component
    from mesa.visualization.components import AgentPortrayalStyle

    def agent_portrayal(agent):
        return AgentPortrayalStyle(color="tab:red" if agent.last == "f0" else "tab:blue", size=10)

    model = solara.reactive(Market(small(), seed=3))
    params = {
        "base": small(),
        "seed": 3,
        "people": {"type": "SliderInt", "value": 200, "min": 100, "max": 400, "step": 1},
    }
    components = [make_space_component(agent_portrayal), make_plot_component(["share.f0", "share.f1"])]
    page = SolaraViz(model, components=components, model_params=params, name="Stickiness")
    _, rc = solara.render(solara.AppLayout(children=[page]), handle_error=False)
    try:
        rc.find(ipyvuetify.Btn, children=["Step"]).widget.click()
        assert model.value.week == 1 and model.value.scenario_now.people == 240
        rc.find(ipyvuetify.Btn, children=["Reset"]).widget.click()
        assert model.value.week == 0 and model.value.scenario_now.people == 200
        assert model.value.firms == ["f0", "f1", "f2", "f3", "f4", "f5"]
    finally:
        rc.close()


# ---------------------------------------------------------------- views, and behavior of one's own


def test_attributes_are_views_of_rows():
    market = simulated(small({"scandals": {"leak": {"firm": "f0", "week": 0}}}), 3)
    one, bonds = market.people.one, market.people.bonds
    person = list(market.consumers)[7]
    person.attention, person.last, person.anchor, person.anchor_height = 0.2, "f3", "f1", 2.5
    person.aware_of = {"leak"}
    person.bond("f1").trust = 0.125
    person.trust = 0.75
    assert (one["attention"][7], one["last"][7], one["anchor"][7]) == (np.float32(0.2), 3, 1)
    assert (bonds["trust"][7, 1], bonds["trust"][7, 3], person.bond("f3").trust) == (0.125, 0.75, 0.75)
    assert person.aware_of == {"leak"} and flag_table(market.people, AWARE)[7, 0] and person.switches_over <= {"leak"}
    one["last"][7], one["anchor"][7] = -1, -1
    assert person.last is None and person.anchor is None and np.isnan(person.trust)
    assert (person.segment, person.cohort) == market.cells[market.people.cell[7]]
    assert person.pos == (7, 0)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("attention", 1.5, "0 to 1"),
        ("trust", float("nan"), "0 to 1"),
        ("last", "f9", "is no firm"),
        ("aware_of", {"leek"}, "is no scandal"),
        ("tenure", 3, "counted"),
    ],
)
def test_what_a_row_cannot_hold_is_refused(field, value, says):
    market = simulated(small({"scandals": {"leak": {"week": 0}}}), 3)
    person = next(c for c in market.consumers if c.last is not None)
    with pytest.raises((ValueError, AttributeError), match=says):
        setattr(person, field, value)


class Stubborn(Consumer):
    """Acts every other week only."""

    def step(self):
        if (self.row + self.model.week) % 2:
            super().step()


def test_a_step_of_one_s_own_runs_under_agents_and_is_refused_under_kernel():
    market = simulated(small(), activation="agents", consumer_class=Stubborn)
    assert 0.3 < market.tally.flow.sum() / simulated(small()).tally.flow.sum() < 0.7
    with pytest.raises(TypeError, match=r"Stubborn.step would never be called.*activation='agents'"):
        Market(small(), consumer_class=Stubborn)


def test_a_consumer_steps_only_when_the_market_steps():
    market = Market(small(), activation="agents")
    with pytest.raises(RuntimeError, match="when the market steps"):
        next(iter(market.consumers)).step()
    with pytest.raises(TypeError, match="would not stop the person"):
        next(iter(Market(small()).consumers)).remove()


class Cheaper(Competitor):
    """Cuts its price when its share falls below its share of the first week."""

    def step(self):
        if self.name == "f1" and self.model.week == 4:
            self.price = 0.7


def test_a_firm_may_have_a_will_of_its_own():
    market = simulated(small(), competitor_class=Cheaper)
    declared = small({"moves": {"f1_price_4": {"firm": "f1", "lever": "price", "value": 0.7, "week": 4}}})
    assert market.scenario_now == declared and digest(market.tally) == digest(simulate(declared).tally)


def test_many_people_have_no_agents_unless_asked_for():
    many = small({"people": MOST_AGENTS + 1, "burn_in": 0})
    market = Market(many)
    market.step()
    assert len(market.agents) == 6 and len(market.consumers) == 0 and market.grid is None
    with pytest.raises(ValueError, match="only with agents=True"):
        Market(many, activation="agents")


# ---------------------------------------------------------------- events


EVENTS = {
    "scandal": {"firm": "f0", "severity": 3.0, "action": 8.0, "outage": 1.0, "outage_weeks": 2},
    "move": {"firm": "f2", "lever": "touchpoints.app.failure_rate", "value": 0.4},
}


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_by_hand_is_the_same_event_declared(kind):
    before = {"scandals": {"old": {"firm": "f1", "week": 1, "action": 5.0}}}
    market = simulated(small(before), 5)
    market.add_event(kind, "new", **EVENTS[kind])
    while market.running:
        market.step()
    declared = change(small(before), {f"{kind}s.new": {**EVENTS[kind], "week": 5}})
    assert market.scenario_now == declared and digest(market.tally) == digest(simulate(declared).tally)
    assert digest(market.tally) != digest(simulate(small(before)).tally)
    if kind == "scandal":
        heard = market.datacollector.get_model_vars_dataframe()["awareness.new"]
        assert heard[:5].isna().all() and heard.iloc[-1] > 0.5


def test_an_apology_and_a_lever():
    events = {"scandals": {"old": {"firm": "f1", "week": 2, "action": 8.0, "severity": 4.0}}}
    market = simulated(small(events), 5)
    market.add_event("apology", "old", response=0.9)
    market.competitor["f1"].recovery_adequacy = 0.95
    firm = market.competitor["f1"]
    assert firm.recovery_adequacy == 0.95 and firm.levers["recovery_adequacy"] == 0.95
    assert market.shard.world.firms["repair"][6, 1] > market.shard.world.firms["repair"][5, 1]
    while market.running:
        market.step()
    assert digest(market.tally) == digest(simulate(market.scenario_now).tally)
    assert market.scenario_now.scandals["old"].response_delay == 3


@pytest.mark.parametrize(
    ("kind", "name", "fields", "says"),
    [
        ("scandal", "late", {"week": 2}, "is over"),
        ("scandal", "old", {}, "it broke in week 1"),
        ("scandal", "odd", {"severity": 99}, "outside 0 to 10"),
        ("apology", "odd", {}, "is no scandal; did you mean old"),
        ("rumor", "odd", {}, "is no event"),
        ("move", "cut", {"lever": "prise", "value": 1.0}, "did you mean price"),
        ("scandal", "never", {"week": 50}, "beyond the last week"),
    ],
)
def test_what_cannot_happen_is_refused_and_nothing_changes(kind, name, fields, says):
    market = simulated(small({"scandals": {"old": {"firm": "f1", "week": 1}}}), 4)
    scenario, tally = market.scenario_now, market.shard.tally
    with pytest.raises(ScenarioError, match=says):
        market.add_event(kind, name, **fields)
    assert market.scenario_now is scenario and market.shard.tally is tally


def test_weeks_can_be_added():
    market = simulated(small({"weeks": 10}))  # two and a half windows
    with pytest.warns(UserWarning, match="was the last"):
        market.step()
    assert market.week == 10 and not market.running
    market.extend(2)
    market.step()
    market.step()
    assert digest(market.tally) == digest(simulate(small()).tally)


def test_an_endless_market_goes_on_and_gives_its_scenario():
    events = {"weeks": 8, "scandals": {"planned": {"week": 7, "firm": "f2"}}}
    market = Market(small(events), endless=True)
    for _ in range(3):
        market.step()
    market.add_event("scandal", "now", firm="f0", week=70)
    market.add_event("scandal", "soon", firm="f0", reach=0.9, action=8.0)
    for _ in range(3):
        market.step()
    early = market.result()  # the planned one is yet to come, and keeps its place
    assert digest(early.tally) == digest(simulate(early.scenario).tally) and early.scenario.weeks == 6
    for _ in range(12):
        market.step()
    late = market.result()
    assert digest(late.tally) == digest(simulate(late.scenario).tally) and late.tally.flow.shape[1] == 18
    assert market.running


def test_a_fork_is_a_twin_that_shares_nothing():
    market = simulated(small(), 4, activation="agents")
    twin = market.fork()
    twin.add_event("scandal", "leak", firm="f0", severity=4.0, action=8.0)
    for _ in range(4):
        twin.step()
    assert market.week == 4 and market.scandals == [] and not np.shares_memory(twin.people.one, market.people.one)
    for _ in range(4):
        market.step()
    assert digest(market.tally) == digest(simulated(small(), 8).tally) != digest(twin.tally)
    assert twin.competitor["f0"].share() < market.competitor["f0"].share()
    assert all(agent.model is twin for agent in twin.agents)


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"segments__habitul__attention": 0.5}, ScenarioError, "segments.habitul.attention: unknown"),
        ({"consumer__atention": 0.5}, ScenarioError, "did you mean consumer.attention"),
        ({"activation": "random"}, ValueError, "neither 'kernel' nor 'agents'"),
        ({"scenario": {"people": 3}}, TypeError, "as base"),
        ({"seed": 1, "rng": 2}, TypeError, "give one"),
        ({"consumer_class": mesa.Agent}, TypeError, "subclasses"),
    ],
)
def test_arguments_that_make_no_market(how, error, says):
    with pytest.raises(error, match=says):
        Market(small(), **how)


def test_seeds():
    firsts = [simulated(small(), 2, **how).tally.flow for how in ({"seed": 4}, {"rng": 4}, {"rng": np.int64(4)})]
    assert all((flow == firsts[0]).all() for flow in firsts)
    generator = Market(small(), rng=np.random.default_rng(1)).scenario_now.seed
    assert generator == Market(small(), rng=np.random.default_rng(1)).scenario_now.seed != 1


class Asking(Consumer):
    def likes(self, least=0.5):
        return self.trust > least


REPORTERS = {
    "a name": "last",
    "a name that nobody has": "lst",
    "a function": lambda a: a.last,
    "a function of a bond": lambda a: a.bond("f0").trust,
    "a property": Consumer.segment.fget,
    "a method": Asking.likes,
    "with parameters": [Asking.likes, [0.9]],
    "with parameters in a tuple": (lambda a, firm: a.bond(firm).habit, ("f1",)),
    "a partial": partial(lambda firm, a: a.bond(firm).habit, "f1"),
    "built in": [getattr, ["habit"]],
}


@pytest.mark.parametrize("name", REPORTERS)
def test_reporters_of_agents_are_those_of_mesa(name):
    """Against Mesa's own collector, which sees consumers only."""
    market = simulated(small(), 2, agent_reporters={"x": REPORTERS[name]}, consumer_class=Asking)
    found = market.datacollector.get_agent_vars_dataframe().xs(2, level="Step")["x"]
    reporter = REPORTERS[name]
    mesas = mesa.DataCollector(agent_reporters={"x": list(reporter) if isinstance(reporter, tuple) else reporter})
    expected = [mesas.agent_reporters["x"](a) for a in market.consumers]
    assert found[[a.unique_id for a in market.consumers]].tolist() == expected
    assert len(found) == 240 + 6 and (name == "a name that nobody has" or found.notna().any())
    assert market.fork().datacollector.agent_reporters.keys() == {"x"}


@pytest.mark.parametrize("form", ["graph", "matrix", "edges", "pair"])
def test_a_network_may_be_a_graph(form):
    """The small world's ring as a networkx graph, a matrix, edges or (starts, listeners): the same numbers."""
    graph = nx.circulant_graph(240, [1, 2])
    edges = np.array([*graph.edges, *((j, i) for i, j in graph.edges)])
    forms = {"graph": graph, "matrix": nx.to_scipy_sparse_array(graph), "edges": edges, "pair": links(graph, 240)}
    talkative = small({"market.positive_wom": 0.5, "market.negative_wom": 0.9})
    found = simulated(talkative, network=forms[form])
    assert digest(found.tally) == digest(simulate(talkative, network=links(graph, 240)).tally)
    assert found.tally.event[..., Event.POSITIVE_WOM].sum() > 0


def test_a_graph_that_does_not_fit_is_a_sentence():
    with pytest.raises(ScenarioError, match="nodes of the graph are not 0 to 239"):
        Market(small(), network=nx.cycle_graph(30))


def test_an_error_in_a_reporter_is_not_hidden():
    market = Market(small(), agent_reporters={"x": lambda a: a.trst})
    with pytest.raises(AttributeError, match="trst"):
        market.step()


@pytest.mark.parametrize(
    "wrong", [{"x": 3}, {"x": [3, []]}, {"x": [len]}, {"x": [len, 3]}, {"x": None}, ["trust"], "trust"]
)
def test_what_is_no_reporter_is_a_sentence(wrong):
    with pytest.raises(ScenarioError, match=r"^agent_reporters"):
        Market(small(), agent_reporters=wrong)
