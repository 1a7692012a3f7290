"""What a consumer does in a week: hear, need, attend, consider, choose, experience, learn, tell; a file each.

This is the whole behavior of the model; `visit` puts the verbs of a use in order. Every rule is written for one
person. It runs for sixteen people at once (`compute.simd`), one by one for Mesa, one a thread on a GPU, and in plain
Python, always with the same bits: `select` gives each person their own value; `if` asks what is the same for all, or
whether it concerns anyone. Within a week a person writes only to their own state, `person` and `bonds`, and reads only
what was published before the week, `public` (`model.timeline.Published`). i is the person (or the sixteen), j a firm,
k a scandal. Utilities are in logit units, experience in CX units, time in weeks.
"""

from sim.model.rules.attend import attend
from sim.model.rules.choose import answer_survey, choose
from sim.model.rules.consider import consider
from sim.model.rules.experience import experience
from sim.model.rules.hear import hear
from sim.model.rules.learn import learn
from sim.model.rules.need import decay, need
from sim.model.rules.tell import tell
from sim.model.rules.visit import visit

VERBS = (hear, need, attend, consider, choose, experience, learn, tell)

__all__ = [
    "VERBS",
    "answer_survey",
    "attend",
    "choose",
    "consider",
    "decay",
    "experience",
    "hear",
    "learn",
    "need",
    "tell",
    "visit",
]
