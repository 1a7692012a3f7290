"""The same week as an idiomatic Mesa model: the peer that `speed.py` measures the kernel against.

Claim: this is the market of `sim/model/rules`, all eight rules and every mechanism, sharing only the Scenario it
reads; shares, switching and stickiness agree within sampling error (tests/mesa/test_peer.py).
Written kindly, as one does who knows Mesa and wants it fast: an object a person, lists and plain floats, Python's own
generator, locals hoisted, what is the same for everybody worked out once a week, weeks without a use left early,
choices by one draw over weights instead of a Gumbel a firm, reporters that read counters instead of people. It counts
less than the kernel does: flow, events and, when a window ends, pairs of uses.
"""

import mesa

from experiments.benchmarks.mesa_consumer import Consumer
from experiments.benchmarks.mesa_tables import cells, initial, links, week_of
from sim.model.fields import Scenario

EVENTS = (
    *("deliberated", "failed", "complained", "satisfied", "positive_wom", "negative_wom", "captive", "asked"),
    *("would_leave", "heard", "acted", "first_look"),
)
PAIRS = ("users", "uses", "pairs", "all_pairs")


class MesaMarket(mesa.Model):
    """One replication of a scenario; a step is a week, those of the burn-in before week 0."""

    def __init__(self, scenario: Scenario):
        super().__init__(rng=scenario.seed)
        self.scenario_read, self.week, self.draw = scenario, -scenario.burn_in, self.random.random
        vars(self).update({name: value for name, value in vars(scenario.market).items() if name != "regime"})
        self.provider = scenario.market.regime == "provider"
        self.many = len(scenario.firms)
        self.firm_numbers = list(range(self.many))
        self.traits = cells(scenario)
        self.senders: list[Consumer] = []
        self.everybody = list(Consumer.create_agents(self, scenario.people, **initial(self, scenario)))
        for person, recipients in zip(self.everybody, links(self, scenario), strict=True):
            person.neighbors = recipients
        self.windows = {name: [0] * self.many for name in PAIRS}
        self.kept_from_to = [[0] * self.many for _ in range(self.many + 1)]
        reporters = {
            f"share.{name}": lambda m, j=j: m.uses_of(j) / max(1, m.uses()) for j, name in enumerate(scenario.firms)
        }
        reporters |= {name: lambda m, name=name: m.events[name][:] for name in EVENTS}
        reporters["flow"] = lambda m: [[row[:] for row in cell] for cell in m.flow]
        self.datacollector = mesa.DataCollector(reporters)

    def step(self):
        vars(self).update(week_of(self, self.scenario_read, self.week))
        self.flow = [[[0] * self.many for _ in range(self.many + 1)] for _ in self.traits]
        self.events = {name: [0] * self.many for name in EVENTS}
        self.agents.shuffle_do("step")
        self.exchange()
        if self.week >= 0:
            self.datacollector.collect(self)
        self.week += 1
        if self.week % self.scenario_read.window == 0:
            self.close_window(counted=self.week > 0)

    def exchange(self):
        """Messages, and scandals that senders have just heard of, reach the recipients."""
        draw, everybody, weight, felt = self.draw, self.everybody, self.wom_weight, self.delight_threshold
        for sender in self.senders:
            j, said, many = abs(sender.message) - 1, sender.message, len(sender.neighbors)
            chances = [(k, self.contagion[k] * sender.traits.voice / many) for k in sender.fresh if many]
            for i in sender.neighbors:
                other = everybody[i]
                if said:
                    memory = other.memory
                    message = felt if said > 0 else -felt
                    memory[j] += weight * (1 - other.familiarity[j]) * (message - memory[j])
                for k, chance in chances:
                    if draw() < chance:
                        other.told.add(k)
            sender.message, sender.fresh = 0, []
        self.senders.clear()

    def uses_of(self, j):
        return sum(row[j] for cell in self.flow for row in cell)

    def uses(self):
        return sum(sum(row) for cell in self.flow for row in cell)

    def close_window(self, counted):
        w = self.windows
        for person in self.everybody:
            if counted and person.last >= 0:
                self.kept_from_to[person.home][person.last] += 1
            if person.counts:
                total = sum(person.counts.values())
                for j, n in person.counts.items() if counted else ():
                    w["users"][j] += 1
                    w["uses"][j] += n
                    w["pairs"][j] += n * (n - 1)
                    w["all_pairs"][j] += n * (total - 1)
                person.counts, person.home = {}, person.last
