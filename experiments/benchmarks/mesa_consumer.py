"""A consumer of the Mesa market: the week of `sim/model/rules`, as one usually writes an agent: see mesa_market.

Firms, scandals and cells are numbers, -1 is nobody; `model` has what is the same for everybody this week.
"""

import math

import mesa


class Consumer(mesa.Agent):
    """A person: traits shared with their cell, what they remember of each firm in lists."""

    def __init__(self, model, cell, rate, attention, last, expectation, taste, memory, trust, habit, familiarity):
        super().__init__(model)
        self.cell, self.traits = cell, model.traits[cell]
        self.rate, self.idle, self.attention = rate, math.exp(-rate), attention
        self.last = self.home = last
        self.expectation, self.taste, self.memory, self.trust = expectation, taste, memory, trust
        self.habit, self.familiarity, self.regret = habit, familiarity, [0.0] * model.many
        self.target = self.anchor = -1
        self.anchor_height, self.tenure, self.seen = 0.0, 0, model.week
        self.message, self.fresh, self.told = 0, [], set()
        self.heard: dict[int, tuple[int, bool]] = {}  # scandal: 1 acts, -1 buys more, 0 grumbles; harmed in person
        self.counts: dict[int, int] = {}  # firm: uses in the open window

    def step(self):
        """hear, need, attend, consider, choose, experience, learn, tell."""
        m = self.model
        draw = m.draw
        provoked = self.hear() if m.broken else False
        uses = 1 if m.provider else self.need(draw())
        asked = draw() < m.survey
        if uses or asked:
            self.forget()
        if asked:
            self.answer()
        for _ in range(uses):
            last = self.last
            joined, considered, captive = self.decide(provoked)
            m.flow[self.cell][last][joined] += 1  # nobody is -1: the last row
            self.counts[joined] = self.counts.get(joined, 0) + 1
            self.tenure = self.tenure + 1 if joined == last else 1
            self.last = joined
            x, harm = self.experience(joined)
            peak = self.learn(joined, considered, x, harm)
            if captive:
                self.complain_of_captivity(last)
            elif peak > m.delight_threshold:
                self.say(joined, 1, "positive_wom", m.positive_wom)
            elif -peak > m.delight_threshold:
                self.say(joined, -1, "negative_wom", m.negative_wom)

    def hear(self):
        m, draw, heard, provoked = self.model, self.model.draw, self.heard, False
        for k, scandal in m.broken:
            if k not in heard:
                breaks = m.week == scandal.week and self.last == scandal.at
                harmed = breaks and draw() < scandal.harmed_share
                if harmed or k in self.told or draw() < scandal.news_exposure * self.traits.exposure:
                    provoked = self.react(k, scandal, harmed) or provoked
        return provoked

    def react(self, k, scandal, harmed):
        m, draw = self.model, self.model.draw
        acts = draw() < self.traits.action * scandal.action
        backs = acts and draw() < scandal.buycott
        self.heard[k] = (-1 if backs else int(acts), harmed)
        if not self.message and not self.fresh:
            m.senders.append(self)
        self.fresh.append(k)
        for j, fall in enumerate(scandal.distrust[self.cell]):
            if fall:
                self.revise(j, -fall)
        m.events["heard"][scandal.at] += 1
        m.events["acted"][scandal.at] += acts
        return acts and not backs and self.last >= 0 and scandal.blame[self.last] > 0

    def need(self, u):
        """Poisson by inversion; most weeks end here."""
        n, p = 0, self.idle
        while u >= p and n < 255:
            u -= p
            n += 1
            p *= self.rate / n
        return n

    def forget(self):
        m, weeks = self.model, self.model.week - self.seen
        self.seen = m.week
        if weeks:
            self.anchor_height *= 0.5 ** (weeks / m.anchor_half_life)
            fade = 0.5 ** (weeks / m.regret_half_life)
            self.regret = [r * fade for r in self.regret]

    def decide(self, provoked):
        m, last = self.model, self.last
        goes = m.exit_rate >= 1 or m.draw() < m.exit_rate
        if self.target >= 0:
            joined = last
            if goes:
                joined, self.target = self.target, -1
            return joined, (last,), False
        if not self.attend(provoked):
            return last, (last,), False
        considered = self.consider()
        best, captive = self.choose(considered)
        m.events["deliberated"][best] += 1
        if best != last and last >= 0 and not goes:
            self.target, best = best, last
        return best, considered, captive

    def attend(self, provoked):
        m, last = self.model, self.last
        if last < 0 or provoked:
            return True
        if m.draw() < self.attention * (1 - self.traits.automaticity * self.habit[last]):
            return True
        ends = m.contract_weeks and self.tenure and self.tenure % m.contract_weeks == 0
        return (ends or m.moved[last]) and m.draw() < m.event_attention

    def consider(self):
        """Firms considered, the most salient first; where all are, only the first needs a draw."""
        m, few = self.model, int(self.traits.consideration_size)
        number = few + (m.draw() < self.traits.consideration_size - few)
        first = self.last
        if self.anchor >= 0 and m.draw() * m.delight_threshold < m.anchor_start * self.anchor_height:
            first = self.anchor
        if first >= 0:
            m.events["first_look"][first] += 1
        if number >= m.many:
            return m.firm_numbers
        considered = [first] if first >= 0 else []
        if number > len(considered):
            a, b, exp = m.recall_taste, m.recall_habit, math.exp
            mind = [exp(a * t + b * h + c) for t, h, c in zip(self.taste, self.habit, m.comes, strict=True)]
            while len(considered) < number:
                if considered:
                    mind[considered[-1]] = 0.0
                considered.append(m.random.choices(m.firm_numbers, mind)[0])
        return considered

    def values(self, considered):
        """V of these firms, inertia and scandals aside."""
        m, c = self.model, self.traits
        base, known, taste, memory, trust = m.base[self.cell], m.known, self.taste, self.memory, self.trust
        familiarity, regret, expectation = self.familiarity, self.regret, self.expectation
        gain, loss, faith, sorry, untried = c.cx_weight, c.cx_loss, c.trust_weight, c.regret_weight, c.uncertainty
        values = []
        for j in considered:
            gap, f = memory[j] - expectation, familiarity[j]
            v = taste[j] + base[j] + (gain if gap > 0 else loss) * gap + known[j] * f + faith * trust[j]
            v -= sorry * regret[j]
            values.append(v if f else v - untried)
        if self.last in considered:
            values[considered.index(self.last)] += m.deterrence[self.last]
        if self.anchor in considered:
            values[considered.index(self.anchor)] += c.anchor_pull * self.anchor_height
        return values

    def pressure(self, k, acting, j):
        """What a scandal heard of takes from firm j, in what one does (acting) or in what one says."""
        stance, harmed = self.heard[k]
        if acting and not stance:
            return 0.0
        loss = self.model.losses[k][self.cell][harmed][j]
        return -loss if stance < 0 else loss

    def choose(self, considered):
        """One draw over weights for the choice free of friction, and a second where friction may keep me."""
        m, c, last, habit, exp = self.model, self.traits, self.last, self.habit, math.exp
        drift = c.drift_now
        weight, bonus = c.habit_weight * drift, c.state_dependence * drift
        values = [v + weight * habit[j] for v, j in zip(self.values(considered), considered, strict=True)]
        if last in considered:
            values[considered.index(last)] += bonus
        for k in self.heard:
            values = [v - self.pressure(k, True, j) for v, j in zip(values, considered, strict=True)]
        weights = [exp(v) for v in values]
        free = m.random.choices(considered, weights)[0]
        if last < 0 or free == last or last not in considered or not m.friction[last]:
            return free, False
        # Friction is the same for all the others, so it leaves their order alone and only lets `last` overtake.
        here, rest = weights[considered.index(last)], sum(weights)
        rest -= here
        leaving = exp(-m.friction[last])
        if m.draw() * (here + rest * leaving) < leaving * (here + rest):
            return free, False
        return last, True

    def answer(self):
        m, last = self.model, self.last
        if last < 0:
            return
        values = self.values(m.firm_numbers)
        for k in self.heard:
            values = [v - self.pressure(k, False, j) for j, v in enumerate(values)]
        own = values[last]
        values[last] = -math.inf
        m.events["asked"][last] += 1
        m.events["would_leave"][last] += max(values) > own

    def experience(self, j):
        m, draw, events = self.model, self.model.draw, self.model.events
        x = m.random.gauss(m.quality[j], m.noise[j])
        if draw() < m.delight_rate[j]:
            x += m.delight_peak
        where, harm, delight = draw(), 0.0, 0.0
        for failing, severity in m.details[j]:
            if where < failing:
                harm = severity
                break
        left = harm
        if harm > 0:
            major = draw() < m.major_share
            if major:
                harm *= m.major_factor
            left = harm
            if draw() < (m.complain_major if major else m.complain_minor):
                left, delight = harm * (1 - m.repair[j]), m.recovery_paradox * m.repair[j]
                events["complained"][j] += 1
            events["failed"][j] += 1
        x -= left
        events["satisfied"][j] += x + delight >= self.expectation
        return x, left

    def learn(self, j, considered, x, harm):
        m, c, memory, familiarity, expected = self.model, self.traits, self.memory, self.familiarity, self.expectation
        peak = x - expected
        if harm > 0:
            best = max([expected, *[memory[k] for k in considered if k != j and familiarity[k]]])
            if best > x:
                self.regret[j] += min(harm, best - x)
        felt = self.set_anchor(j, peak)
        memory[j] += m.memory_rate * (felt + expected - memory[j])
        self.expectation = expected + m.expectation_rate * peak
        self.revise(j, -c.trust_down if harm > 0 else c.trust_up)
        familiarity[j] += m.familiarity_rate * (1 - familiarity[j])
        left = 1 - c.habit_rate
        self.habit = habit = [h * left for h in self.habit]
        habit[j] += c.habit_rate
        return peak

    def set_anchor(self, j, peak):
        m, pull, felt = self.model, self.traits.anchor_pull, peak
        if peak > m.delight_threshold and peak > self.anchor_height and pull > 0:
            self.anchor, self.anchor_height = j, peak
        elif self.anchor == j and peak < 0:
            felt = peak - pull * self.anchor_height
            self.anchor_height = max(0.0, self.anchor_height + peak)
        if self.anchor_height == 0:
            self.anchor = -1
        return felt

    def revise(self, j, step):
        trust = self.trust[j]
        moved = trust + step * (1 - self.model.confirmation_bias * abs(2 * trust - 1))
        self.trust[j] = 0.0 if moved < 0 else (1.0 if moved > 1 else moved)

    def complain_of_captivity(self, j):
        m = self.model
        m.events["captive"][j] += 1
        excess = m.friction[j] - m.switching_cost_tolerated
        if excess > 0:
            self.memory[j] -= m.switching_cost_backlash * excess
            self.say(j, -1, "negative_wom", m.negative_wom)

    def say(self, j, sign, event, chance):
        m = self.model
        if m.draw() < chance * self.traits.voice:
            if not self.message and not self.fresh:
                m.senders.append(self)
            self.message = sign * (j + 1)
            m.events[event][j] += 1
