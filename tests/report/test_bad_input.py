"""Whatever is wrong with what was asked: its sentence, exit status 2, no traceback, and no file."""

import sys

import pytest

from sim import __main__ as cli

SCANDAL, MOVE = "+scandals.x", "+moves.x"
BAD = {
    # words that are not known
    "segments.habitual.atention=1": "segments.habitual.atention: unknown; did you mean attention?",
    "firms.colgate.pric=1": "firms.colgate.pric: unknown; did you mean price?",
    "firms.colgte.price=1": "firms.colgte: unknown; did you mean colgate?",
    "consumer.voise=2": "consumer.voise: unknown; did you mean voice?",
    "market.regme=provider": "market.regme: unknown; did you mean regime?",
    "mechanisms.habits=false": "mechanisms.habits: unknown; did you mean habit?",
    "network.neihgbors=8": "network.neihgbors: unknown; did you mean neighbors?",
    "peopel=100": "peopel",
    "market=tothpaste_uk": "market: 'tothpaste_uk' is no preset; did you mean toothpaste_uk?",
    "scandal=data_brech": "scandal: 'data_brech' is no preset; did you mean data_breach?",
    "lever=prise_cut": "lever: 'prise_cut' is no preset; did you mean price_cut?",
    "ages=four": "ages: 'four' is no preset",
    "segment@segments.habitual=lazy": "segment: 'lazy' is no preset",
    "market.regime=monopoly": "market.regime: 'monopoly' is not known",
    "market.taste_law=cauchy": "market.taste_law: 'cauchy' is not known; known: log_gamma, normal",
    "network.kind=smallworld": "network.kind: 'smallworld' is not known; did you mean small_world?",
    "focus=colgat": "focus: 'colgat' is no firm; did you mean colgate?",
    # of the wrong type
    "people=many": "people: 'many' is not a number",
    "people=10.5": "people: 10.5 is not a whole number",
    "people=true": "people: True is not a number",
    "weeks=[1,2]": "weeks: [1, 2] is not a number",
    "seed=null": "seed: None is not a number",
    "firms.colgate.price='1'": "firms.colgate.price: '1' is not a number",
    "firms.colgate=5": "firms.colgate",
    "firms=[a,b]": "firms=[a,b]; Cannot merge",
    "segments=7": "segments",
    "market=null": "a preset is chosen by its name",
    "consumer=null": "consumer",
    "mechanisms.habit=2": "mechanisms.habit: 2 is not true or false",
    "market.regime=3": "market.regime: 3 is not text",
    "title=5": "title: 5 is not text",
    # not a number, or out of range
    "consumer.attention=nan": "consumer.attention: nan is not a finite number (0 to 1)",
    "firms.colgate.quality=inf": "firms.colgate.quality: inf is not a finite number (-5 to 5)",
    "firms.colgate.price=-1": "firms.colgate.price: -1 is outside 0 to 10 index",
    "consumer.attention=1.5": "consumer.attention: 1.5 is outside 0 to 1",
    "people=0": "people: 0 is outside 1 to",
    "people=-5": "people: -5 is outside 1 to",
    "weeks=0": "weeks: 0 is outside 1 to",
    "seed=-1": "seed: -1 is outside 0 to",
    "replications=0": "replications: 0 is outside 1 to",
    "market.rate_shape=0": "market.rate_shape: 0 is outside 0.05 to 100",
    "network.rewiring=2": "network.rewiring: 2 is outside 0 to 1",
    "segments.habitual.weight=-1": "segments.habitual.weight: -1 is outside",
    "firms.colgate.touchpoints.shop.use=7": "firms.colgate.touchpoints.shop.use: 7 is outside 0 to 1",
    "base=1000": "base: there is no event to tell of, or no rival to go to",
    "worlds=5": "worlds: there is no event to tell of, or no rival to go to",
    "+scandal=outage": "scandal: is chosen already; write scandal=outage, without +",
    "base=1,000": "base=1,000: several values are a run for each",
    "base=0": "base: 0 is no number of customers; give how many the firm has from 1 to",
    "base=-7": "base: -7 is no number of customers",
    "base=1.5": "base: 1.5 is no number of customers",
    "base=true": "base: True is no number of customers",
    "base=all": "base: 'all' is no number of customers",
    "worlds=0": "worlds: 0 is no number of worlds; leave it out, or give a number from 1 to 10,000",
    "worlds=many": "worlds: 'many' is no number of worlds",
    # that cannot be together
    "window=105": "window: 105 is longer than weeks (104)",
    "network.neighbors=7": "network.neighbors: 7 is odd",
    "network.kind=file": "network.edges: a file of edges is needed",
    "network.kind=file network.edges=nowhere.txt": "network.edges: cannot read nowhere.txt",
    "firms.colgate.share=0.9": "firms.*.share: the shares sum to 1.650, above 1",
    "firms.colgate.share=0": "firms.colgate.share: 0 is no share a firm can have",
    "firms.colgate.share=0.05": "firms.*.share: the shares sum to 0.800",
    "~firms": "firms",
    "segments.ethical.weight=0 segments.skeptical.weight=0 segments.habitual.weight=0": "the weights sum to 0",
    "+firms.colgate.touchpoints.app.use=1 +firms.colgate.touchpoints.app.failure_rate=1": "sum to",
    # in the story
    f"{SCANDAL}.firm=colgat": "scandals.x.firm: 'colgat' is no firm; did you mean colgate?",
    f"{SCANDAL}.week=104": "scandals.x.week: 104 is beyond the last week (103)",
    f"{SCANDAL}.kind=moral": "scandals.x.kind: 'moral' is not known",
    f"{SCANDAL}.contagion=1": "scandals.x.contagion: 1 is outside 0 to 0.95",
    f"{SCANDAL}.severity=nan": "scandals.x.severity: nan is not a finite number",
    f"{SCANDAL}.weak=5": "scandals.x.weak: unknown; did you mean week?",
    f"{MOVE}.lever=prize": "moves.x.lever: 'prize' is no lever; did you mean price?",
    f"{MOVE}.value=99": "moves.x.value: 99 is outside 0 to 10 for price",
    f"{MOVE}.firm=nobody": "moves.x.firm: 'nobody' is no firm",
    f"{MOVE}.week=-1": "moves.x.week: -1 is outside",
    "scandal=dieselgate_us weeks=10": "is beyond the last week (9)",
    # on the command line itself
    "people": "'people': not a setting; write NAME=VALUE",
    "people=[1": "cannot be read as NAME=VALUE",
    "people=${nowhere}": "nowhere",
    "panel=nowhere.csv": "nowhere.csv",
    "panel=empty.csv": "empty.csv",
    "panel=columns.csv": "columns.csv",
    "panel=one.csv": "one",
    "panel=binary.csv": "binary.csv",
    "panel=one.csv people=5": "a panel is measured as it is",
    "hydra.run.dir=one.csv/out": "one.csv",
    "sample": "needs the name of a file",
    "sample x.csv market=toothpst": "market: 'toothpst' is no preset",
    "fields nosuchword": "fields: no path contains nosuchword",
    "-m people=10,-1": "people: -1 is outside",
}
FILES = {
    "empty.csv": b"",
    "columns.csv": b"a,b\n1,2\n",
    "one.csv": b"hh,t,choice\n1,0,x\n1,1,y\n",
    "binary.csv": b"\x00\xff\xfe\x01" * 50,
}


@pytest.mark.parametrize("line", BAD)
def test_a_sentence_and_nothing_else(line, tmp_path, monkeypatch, capsys):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stickiness", *line.split()])
    status = cli.main()
    out, said = capsys.readouterr()
    assert status == 2
    assert BAD[line] in said, said
    assert "Traceback" not in said + out and len(said) < 1500
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == sorted(FILES)


def test_everything_that_is_wrong_is_said_at_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["stickiness", "people=-1", "firms.colgate.price=-1", f"{MOVE}.lever=prize"])
    assert cli.main() == 2
    said = capsys.readouterr().err
    assert said.startswith("3 things are wrong:")
    assert all(word in said for word in ("people: -1", "firms.colgate.price: -1", "moves.x.lever: 'prize'"))


def test_the_table_is_long_enough():
    assert len(BAD) >= 60
