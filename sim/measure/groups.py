"""The groups of people that a table has figures of: everybody, each segment, each cohort."""

from collections.abc import Sequence

from sim.model.fields import Scenario


def groups(scenario: Scenario) -> dict[str, Sequence[int]]:
    """Cells by the name of a group: `all`, and each segment and cohort where there is more than one.

    >>> from sim import build
    >>> firms = {"a": {"presence": 0.6}, "b": {"presence": 0.4}}
    >>> {name: list(cells) for name, cells in groups(build({"segments": {"x": {}, "y": {}}, "firms": firms})).items()}
    {'all': [0, 1], 'segments.x': [0], 'segments.y': [1]}
    """
    cells = scenario.cells
    named: dict[str, Sequence[int]] = {"all": range(len(cells))}
    for n, (kind, members) in enumerate((("segments", list(scenario.segments)), ("cohorts", list(scenario.cohorts)))):
        if len(members) > 1:
            named |= {f"{kind}.{m}": [i for i, cell in enumerate(cells) if cell[n] == m] for m in members}
    return named
