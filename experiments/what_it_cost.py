"""What did the largest documented boycott cost? Bud Light, April 2023, as one slide.

Question: whom did Bud Light lose to the boycott, for how long, and what would have helped?
Design: 20,000 people with the boycott and the same people without it, the answer of `python -m sim
scandal=boycott_budlight`, drawn. A customer is a person whose last beer was a Bud Light.
Reading: the preset is a record with a fitted factor, no prediction: sales are down 28 % for three months by
calibration (#53). What the model adds is who goes, who comes back, and how well it is known.
"""

import pandas as pd

from sim.report import answer_text, figures
from sim.report.experiment import keep, play
from sim.study.answer import answer
from sim.study.countermeasures import countermeasures
from sim.study.presets import scenario_and_shares


def main(people: int = 20_000) -> pd.DataFrame:
    scenario, shares = scenario_and_shares(["scandal=boycott_budlight", f"people={people}"])
    found, helped = answer(scenario, shares=shares), countermeasures(scenario)
    print(answer_text.sentence(found))
    for line in answer_text.lines(found):
        print(line)
    table = answer_text.table(found)
    note = f"{people:,} people, the same with and without. Gray bars: no change detected."
    keep("what_it_cost", table, figures.answer(found, helped, note), finding=[answer_text.sentence(found)])
    return table


if __name__ == "__main__":
    play(main, {"people": 2000})
