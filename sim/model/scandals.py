"""Scandals as everybody meets them: which firms they are attributed to, news exposure, and salience over time."""

from sim.model.fields import Market, Scandal, Scenario


def attribution(scenario: Scenario, scandal: Scandal, firm: str) -> float:
    """Share of a scandal's loss that a firm bears: its own firm all, peers with the same group label `spillover` (#56).

    >>> from sim.model.scenario import build
    >>> s = build({"segments": {"all": {}}, "firms": {"vw": {"group": "de"}, "bmw": {"group": "de"}, "kia": {}}})
    >>> [attribution(s, Scandal(firm="vw", spillover=0.3), firm) for firm in s.firms]
    [1.0, 0.3, 0.0]
    """
    own = scandal.firm or scenario.focus
    group = scenario.firms[firm].group
    if firm == own:
        return 1.0
    return scandal.spillover if group and group == scenario.firms[own].group else 0.0


def news_exposure(scandal: Scandal, weeks: int) -> float:
    """Chance to hear of a scandal on the news in a week, `weeks` after it broke (#52, #65).

    It is such that a share `reach` has heard of it after `news_weeks`.

    >>> news_exposure(Scandal(reach=0.75, news_weeks=2), 0)
    0.5
    >>> news_exposure(Scandal(reach=0.75, news_weeks=2), 2)
    0.0
    """
    return float(1 - (1 - scandal.reach) ** (1 / scandal.news_weeks)) if weeks < scandal.news_weeks else 0.0


def salience(scandal: Scandal, market: Market, weeks: int) -> float:
    """What is left of a scandal's loss in memory, `weeks` after it broke: 1 at first (#58, #59; c6).

    Attention fades fast, reputation slowly, and a residue stays; the firm's response takes its part from its week on.

    >>> salience(Scandal(), Market(), 0)
    1.0
    """
    slow = (1 - market.residue) * 2 ** (-weeks / market.reputation_half_life) + market.residue
    left = (1 - market.reputation_share) * 2 ** (-weeks / market.attention_half_life) + market.reputation_share * slow
    return float(left * (1 - scandal.response * (weeks >= scandal.response_delay)))
