"""A preset of somebody else's is data: it runs nothing, reads nothing, ends soon, and what is wrong names its file."""

import os
import sys
import time
from pathlib import Path

import pytest

from sim import __main__ as cli

GLOBAL = "# @package _global_\n"
SECRET = "s3cret-of-the-environment"
CALLS = "{_target_: pathlib.Path.touch, _args_: [{_target_: pathlib.Path, _args_: [RAN]}]}"
CODE = {  # how a preset could have code run: its text, and what else lies beside it
    "callbacks": (f"{GLOBAL}hydra: {{callbacks: {{x: {CALLS}}}}}\n", {}),
    "package": (f"# @package hydra.callbacks\nx: {CALLS}\n", {}),
    "package_below_global": (f"# @package _global_.hydra\ncallbacks: {{x: {CALLS}}}\n", {}),
    "package_in_brackets": (f"# @package [hydra].callbacks\nx: {CALLS}\n", {}),
    "merged_in": (f"{GLOBAL}title: &t x\nfirms: &f {{hydra: {{callbacks: {{x: {CALLS}}}}}}}\n<<: *f\n", {}),
    "null": (f"{GLOBAL}hydra: null\n", {}),
    "quoted": (f'{GLOBAL}"h\\x79dra": {{callbacks: {{x: {CALLS}}}}}\n', {}),
    "searchpath": (f"{GLOBAL}hydra: {{searchpath: [file:///tmp]}}\n", {}),
    "folder_of_the_run": (f"{GLOBAL}hydra: {{run: {{dir: elsewhere}}}}\n", {}),
    "defaults_callbacks": (
        f"{GLOBAL}defaults:\n  - /hydra/callbacks@hydra.callbacks.x: evil\n",
        {"hydra/callbacks/evil.yaml": f"{CALLS}\n"},
    ),
    "defaults_elsewhere": (
        f"{GLOBAL}defaults:\n  - /firm@hydra.callbacks.x: evil\n",
        {"firm/evil.yaml": f"{CALLS}\n"},
    ),
    "defaults_in_brackets": (
        f"{GLOBAL}defaults:\n  - /firm@[hydra].callbacks.x: evil\n",
        {"firm/evil.yaml": f"{CALLS}\n"},
    ),
    "defaults_of_defaults": (
        f"{GLOBAL}defaults:\n  - /firm@firms.a: evil\n",
        {"firm/evil.yaml": "defaults:\n  - override /hydra/launcher: basic\n"},
    ),
    "logging": (
        f"{GLOBAL}defaults:\n  - override /hydra/job_logging: evil\n",
        {"hydra/job_logging/evil.yaml": f"version: 1\nformatters: {{x: {{(): {CALLS}}}}}\n"},
    ),
    "launcher": (f"{GLOBAL}defaults:\n  - override hydra/launcher: basic\n", {}),
    "sweeper": (f"{GLOBAL}defaults:\n  - override /hydra/sweeper: basic\n", {}),
    "defaults_interpolated": (f"{GLOBAL}defaults:\n  - /firm@firms.a: ${{ages}}\n", {}),
    "defaults_outside": (f"{GLOBAL}defaults:\n  - /../p/firm@firms.a: x\n", {"firm/x.yaml": "{}"}),
    "defaults_absolute": (f"{GLOBAL}defaults:\n  - //etc/firm@firms.a: x\n", {}),
    "target": (f"{GLOBAL}firms: {{a: {CALLS}}}\n", {}),
    "target_in_a_list": (f"{GLOBAL}moves: [{CALLS}]\n", {}),
    "partial": (f"{GLOBAL}firms: {{a: {{_partial_: true}}}}\n", {}),
    "python": (f"{GLOBAL}title: !!python/object/apply:os.getcwd []\n", {}),
    "path": (f"{GLOBAL}title: !!python/object/apply:pathlib.Path [RAN]\n", {}),
}
READS = [  # values that would be read from outside the scenario
    "${oc.env:SECRET}",
    "a ${oc.env:SECRET} b",
    "${oc.decode:${oc.env:SECRET}}",
    "${oc.create:{a: 1}}",
    "${oc.select:title,${oc.env:SECRET}}",
    "${oc.dict.keys:firms}",
    "${hydra:runtime.cwd}",
    "${hydra.runtime.cwd}",
    "${now:%Y}",
    "${ oc.env:SECRET }",
    "${${oc.env:SECRET}}",
    "${firms[${oc.env:SECRET}]}",
    "$${oc.env:SECRET}",
    "\\${oc.env:SECRET}",
    "\\\\${oc.env:SECRET}",
    "${focus}${oc.env:SECRET}",
    "$${focus}{oc.env:SECRET}",
    "${..hydra.runtime.cwd}",
]
FORMS = {  # ways to write a value
    "single": "title: '{}'\n",
    "folded": "title: >-\n  {}\n",
    "listed": "moves: ['{}']\n",
    "aliased": "focus: &x '{}'\ntitle: *x\n",
    "deep": "firms: {{a: {{touchpoints: {{shop: {{use: '{}'}}}}}}}}\n",
    "as_name": "firms: {{'{}': {{}}}}\n",
    "in_defaults": "defaults:\n  - /firm@firms.a: '{}'\n",
}


@pytest.fixture
def said(tmp_path, monkeypatch, capsys):
    """Runs a command line in a folder with presets in p/; what it says on stderr when it is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET", SECRET)

    def run(*arguments: str, length: int = 2000, **files: str | bytes) -> str:
        for name, content in files.items():
            _put(f"p/market/{name}.yaml", content)
        before = _files()
        begin = time.monotonic()
        monkeypatch.setattr(sys, "argv", ["stickiness", *arguments])
        status = cli.main()
        out, err = capsys.readouterr()
        assert status == 2, (out, err)
        assert time.monotonic() - begin < 10
        assert SECRET not in out + err and "Traceback" not in out + err and len(err) < length
        assert _files() == before, "a refused run leaves nothing, and nothing has run"
        return err

    return run


def _put(name: str, content: str | bytes) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _files() -> list[str]:
    return sorted(str(p) for p in Path().rglob("*"))


RUN = ("--config-dir", "p", "people=50", "weeks=13", "hydra.run.dir=o")


@pytest.mark.parametrize("case", CODE)
def test_a_preset_runs_nothing(case, said):
    text, beside = CODE[case]
    for name, content in beside.items():
        _put(f"p/{name}", content)
    assert said(*RUN, "market=nice", nice=text).startswith("p/")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", READS)
def test_a_preset_reads_nothing(value, form, said):
    if form in ("single", "folded") or value == READS[0]:
        assert said(*RUN, "market=nice", nice=GLOBAL + FORMS[form].format(value)).startswith("p/market/nice.yaml: ")


@pytest.mark.parametrize("escaped", [r"\x24{oc.env:SECRET}", r"$\x7boc.env:SECRET}", r"\u0024\u007boc.env:SECRET}"])
def test_nor_when_yaml_escapes_it(escaped, said):
    assert said(*RUN, "market=nice", nice=f'{GLOBAL}title: "{escaped}"\n').startswith("p/market/nice.yaml: ")


@pytest.mark.parametrize("value", [v for v in READS if "\\" not in v])
def test_what_is_typed_reads_nothing_either(value, said):
    assert "title" in said("people=50", "weeks=13", f"title='{value}'")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("people=" + "9" * 5000, "people: a number or word of 5,000 characters"),
        ("+firms.new.price=0." + "1" * 5000, "firms.new.price: a number or word of 5,002 characters"),
        ("title=" + "[" * 500 + "]" * 500, "title: nested more than 20 levels"),
        ("firms={a:" + "{b:" * 500 + "1" + "}" * 501, "firms: nested more than 20 levels"),
        ("title=$\\{oc.env:SECRET\\}", "title: ${oc.env:SECRET} refers"),
    ],
)
def test_what_is_typed_is_bounded(typed, sentence, said):
    assert sentence in said("people=50", "weeks=13", typed)


def test_of_very_many_complaints_the_first_are_said(said):
    names = "".join(f"a{n}: 1\n" for n in range(300))
    err = said(*RUN, "market=many", many=f"{GLOBAL}mechanisms:\n" + names.replace("a", "  a"), length=20_000)
    assert "and 251 more" in err


EVIL = CODE["callbacks"][0]
WAYS = {  # ways to come by a preset
    "added": ["--config-dir", "p", "+firm@firms.new=evil"],
    "segment": ["--config-dir", "p", "segment@segments.ethical=evil"],
    "story": ["--config-dir", "p", "scandal=evil"],
    "searchpath": ["hydra.searchpath=[file://p]", "market=evil"],
    "package": ["hydra.searchpath=[pkg://presets_of_somebody]", "market=evil"],
    "sweep": ["--config-dir", "p", "-m", "market=bank,evil"],
    "shown": ["--config-dir", "p", "--cfg", "job", "market=evil"],
    "shown_resolved": ["--config-dir", "p", "--cfg", "all", "--resolve", "market=evil"],
    "primary": ["--config-dir", "p", "--config-name", "market/evil"],
    "group_of_hydra": ["--config-dir", "p", "hydra/job_logging=evil"],
    "sample": ["sample", "x.csv", "hydra.searchpath=[file://p]", "market=evil"],
}


@pytest.mark.parametrize("way", WAYS)
def test_whichever_way_it_comes(way, said, monkeypatch, tmp_path):
    for group in ("market", "firm", "segment", "scandal", "hydra/job_logging"):
        _put(f"p/{group}/evil.yaml", EVIL)
    for name, content in {"__init__.py": "", "market/__init__.py": "", "market/evil.yaml": EVIL}.items():
        _put(f"presets_of_somebody/{name}", content)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "evil.yaml: hydra: sets something of Hydra's" in said(*WAYS[way]).replace(
        "evil.yaml: sets", "evil.yaml: hydra: sets"
    )


def _bomb(many: int, row: str) -> str:
    rows = [f"a0: &a0 {row}\n"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, many)]
    return GLOBAL + "".join(rows)


def _merges(many: int) -> str:
    rows = ["a0: &a0 {x: 1, y: 2}\n"]
    rows += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, many)]
    return GLOBAL + "".join(rows)


def _tower(depth: int) -> str:
    return GLOBAL + "".join(f"a{n}: &a{n} {{x: {f'*a{n - 1}' if n else 1}}}\n" for n in range(depth))


UNREADABLE = {
    # without end
    "bomb": (_bomb(9, "[x, x, x]"), "more than 10,000 names and values"),
    "bomb_of_mappings": (_bomb(9, "{x: 1}"), "more than 10,000 names and values"),
    "bomb_of_merges": (_merges(9), "more than 10,000 names and values"),
    "tower_of_aliases": (_tower(150), "nested more than 20 levels"),
    "cycle": (f"{GLOBAL}a: &a [*a]\n", "*a names nothing before it, or what it is part of"),
    "cycle_by_merge": (f"{GLOBAL}a: &a {{<<: *a}}\n", "*a names nothing before it"),
    "no_anchor": (f"{GLOBAL}a: *b\n", "*b names nothing before it"),
    "deep": (f"{GLOBAL}a: {'{a: ' * 300}1{'}' * 300}\n", "nested more than 20 levels"),
    "deep_lists": (f"{GLOBAL}a: {'[' * 50_000}\n", "nested more than 20 levels"),
    "deep_blocks": (GLOBAL + "".join(" " * n + "a:\n" for n in range(400)), "nested more than 20 levels"),
    "many_names": (GLOBAL + "".join(f"a{n}: 1\n" for n in range(30_000)), "larger than 256 KiB"),
    "many_short_names": (GLOBAL + "{" + ",".join(f"a{n}: " for n in range(9_000)) + "}", "more than 10,000 names"),
    "large": (GLOBAL + "# \n" * 100_000, "larger than 256 KiB"),
    "references": (GLOBAL + "title: '" + "${focus}" * 125 + "'\n" + "a: ['${focus}${focus}']\n" * 1000, "10,000 names"),
    # numbers
    "digits": (f"{GLOBAL}people: {'9' * 5000}\n", "a value of 5,000 characters"),
    "digits_hexadecimal": (f"{GLOBAL}people: 0x{'f' * 5000}\n", "a value of 5,002 characters"),
    "digits_spaced": (f"{GLOBAL}people: {'9_' * 2500}9\n", "a value of 5,001 characters"),
    "digits_of_a_float": (f"{GLOBAL}people: 1.{'9' * 5000}\n", "a value of 5,002 characters"),
    "digits_of_an_exponent": (f"{GLOBAL}people: 1e{'9' * 5000}\n", "a value of 5,002 characters"),
    "digits_tagged": (f"{GLOBAL}people: !!int '{'9' * 999}'\n", "is a tag"),
    "long_title": (f"{GLOBAL}title: '{'x' * 5000}'\n", "a value of 5,000 characters"),
    # no text
    "latin": (GLOBAL.encode() + b"title: Z\xfcrich\n", "not text in UTF-8 (byte 29 is 0xfc)"),
    "utf16": ((GLOBAL + "title: x\n").encode("utf-16"), "not text in UTF-8"),
    "utf32": ((GLOBAL + "title: x\n").encode("utf-32-le"), "special characters are not allowed"),
    "cut_short": ("title: Zü".encode()[:-1], "not text in UTF-8"),
    "nul": (GLOBAL.encode() + b"title: a\x00b\n", "special characters are not allowed"),
    "nothing_but_nul": (b"\x00" * 5000, "special characters are not allowed"),
    "surrogate": (GLOBAL + 'title: "\\ud800"\n', "is no character of a text"),
    "escape": (GLOBAL + 'title: "\\e]0;x"\n', "is no character of a text"),
    "pickle": (b"\x80\x04\x95\x0c\x00", "not text in UTF-8"),
    # no set of names
    "empty": ("", "empty"),
    "comment": ("# nothing\n", "empty"),
    "list": (f"{GLOBAL}- a\n- b\n", "not a set of names with values"),
    "word": ("hello\n", "not a set of names with values"),
    "number": ("5\n", "not a set of names with values"),
    "alias_at_the_top": ("*a\n", "*a names nothing before it"),
    "two_documents": (f"{GLOBAL}title: a\n---\ntitle: b\n", "line 3: but found another document"),
    "tabs": (f"{GLOBAL}firms:\n\ta: {{}}\n", "line 3: found character '\\t' that cannot start any token"),
    "unclosed": (f"{GLOBAL}firms: {{a: 1\n", "line 3: "),
    "twice": (f"{GLOBAL}title: a\ntitle: b\n", "line 3: found duplicate key title"),
    "twice_below": (f"{GLOBAL}firms: {{a: {{}}, a: {{}}}}\n", "line 2: found duplicate key a"),
    "header": ("# @package a b\ntitle: x\n", "Too many components"),
    "header_alone": ("# @package\ntitle: x\n", "Expected header format"),
    "header_of_a_place": ("# @package ../x\ntitle: x\n", "is no place in a scenario"),
    # names
    "name_number": (f"{GLOBAL}firms: {{1: {{}}}}\n", "firms.1: a name must be text"),
    "name_true": (f"{GLOBAL}yes: 1\n", "True: a name must be text"),
    "name_null": (f"{GLOBAL}~: 1\n", "Incompatible key type"),
    "name_list": (f"{GLOBAL}? [a, b]\n: 1\n", "line 2: found unhashable key"),
    "name_mapping": (f"{GLOBAL}? {{a: b}}\n: 1\n", "line 2: found unhashable key"),
    # types
    "object": (f"{GLOBAL}title: !!python/object:os.stat_result []\n", "is a tag"),
    "date_tagged": (f"{GLOBAL}title: !!timestamp 2020-01-01\n", "is a tag"),
    "binary": (f"{GLOBAL}title: !!binary aGVsbG8=\n", "is a tag"),
    "set": (f"{GLOBAL}firms: !!set {{a, b}}\n", "is a tag"),
    "own": (f"{GLOBAL}firms: !firm {{a: 1}}\n", "is a tag"),
    "equals": (f"{GLOBAL}title: =\n", "could not determine a constructor"),
    # defaults
    "self": ("defaults:\n  - self\n", "lead to more than 400 presets, or back to itself"),
    "defaults_text": (f"{GLOBAL}defaults: self\n", "defaults: 'self' is not a list"),
    "defaults_numbers": (f"{GLOBAL}defaults: [1, 2]\n", "defaults: 1 names no preset"),
    "defaults_nested": (f"{GLOBAL}defaults: [[a]]\n", "defaults: ['a'] names no preset"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_preset_is_named(name, said):
    text, sentence = UNREADABLE[name]
    err = said(*RUN, f"market={name}", **{name: text})
    assert f"{name}" in err and sentence in err and err.count("\n") == 1, err


LOOPS = {
    "two": {"a": "- b", "b": "- a"},
    "three": {"a": "- b", "b": "- c", "c": "- a"},
    "ten": {f"{'a' if n == 0 else f'f{n}'}": f"- {'a' if n == 9 else f'f{n + 1}'}" for n in range(10)},
    "wide": {"a" if n == 0 else f"f{n}": f"- f{n + 1}@x\n  - f{n + 1}@y" for n in range(30)} | {"f30": "[]"},
    "through_ours": {"a": "- /market: a"},
}


@pytest.mark.parametrize("loop", LOOPS)
def test_defaults_in_circles_end(loop, said):
    files = {name: f"{GLOBAL}defaults:\n  {rows}\n" for name, rows in LOOPS[loop].items()}
    assert "lead to more than 400 presets, or back to itself" in said(*RUN, "market=a", **files)


def _chain(many: int, link: str) -> str:
    return GLOBAL + "".join(f"a{n}: '{link.format(n + 1)}'\n" for n in range(many)) + f"a{many}: 1\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{GLOBAL}title: ${{title}}\n", "${title} leads back to itself"),
        (f"{GLOBAL}title: ${{focus}}\nfocus: ${{title}}\n", "leads back to itself"),
        (f"{GLOBAL}moves: {{x: '${{moves}}'}}\n", "leads back to itself"),
        (_chain(18, "${{a{0}}}${{a{0}}}"), "more than 100,000 values, references counted in full"),
        (_chain(100, "${{a{0}}}"), "leads back to itself, or over more than 20 values"),
        (f"{GLOBAL}title: ${{nowhere.at.all}}\n", "nowhere"),
        (f"{GLOBAL}title: ${{firms}}\n", "title"),
    ],
    ids=["itself", "each_other", "inside", "bomb", "chain", "nowhere", "a_mapping"],
)
def test_references_in_circles_end(text, sentence, said):
    assert sentence in said(*RUN, "market=a", a=text)


def test_what_is_no_file_is_not_waited_for(said):
    Path("p/market/folder.yaml").mkdir(parents=True)
    os.mkfifo("p/market/pipe.yaml")
    Path("p/market/zero.yaml").symlink_to("/dev/zero")
    Path("p/market/broken.yaml").symlink_to("nowhere")
    Path("p/market/environment.yaml").symlink_to("/proc/self/environ")
    with open("p/market/huge.yaml", "wb") as file:
        file.truncate(100_000_000)
    for name in ("folder", "pipe", "zero", "broken"):
        assert f"p/market/{name}.yaml: not a regular file" in said(*RUN, f"market={name}")
    assert "p/market/huge.yaml: larger than 256 KiB" in said(*RUN, "market=huge")
    assert "p/market/environment.yaml: " in said(*RUN, "market=environment")


GOOD = {
    "references": "focus: a\ntitle: Where ${focus} is, ${people} people\nburn_in: ${weeks}\n",
    "a_mark_of_windows": "\ufeff# @package _global_\ntitle: ünï\n",
    "date": "title: 2020-01-01\n",
    "aliases": "x: &x {price: 0.9}\n",
    "dollar": "title: costs $5, {a}\n",
    "lines": "title: |\n  two\n  lines\n",
    "defaults": "defaults:\n  - /firm@firms.a: standard\n  - _self_\n  - override /ages: three\ntitle: x\n",
}
FIRMS = "firms: {a: {share: 0.6}, b: {share: 0.4, quality: 0.5}}\n"


@pytest.mark.parametrize("name", GOOD)
def test_an_honest_preset_still_works(name, tmp_path, monkeypatch):
    from sim.study.presets import scenario_and_shares

    monkeypatch.chdir(tmp_path)
    text = GOOD[name] if GOOD[name].startswith("\ufeff") else GLOBAL + GOOD[name]
    _put("p/market/mine.yaml", text.replace("x: &x {price: 0.9}", "consumer: &x {attention: 0.5}") + FIRMS)
    s, shares = scenario_and_shares(["hydra.searchpath=[file://p]", "market=mine", "people=60", "weeks=13"])
    assert set(s.firms) == {"a", "b"} and shares["a"][0] == 0.6
    assert (name == "references") == (s.title == "Where a is, 60 people")


def test_the_command_line_may_still_set_what_is_hydras(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PLACE", "here")
    monkeypatch.setattr(sys, "argv", ["stickiness", "--cfg", "hydra", "--resolve", "hydra.run.dir=o/${oc.env:PLACE}"])
    assert cli.main() == 0
    assert "dir: o/here" in capsys.readouterr().out


def test_hydra_reads_other_peoples_configs_as_ever():
    """The checks hold while we compose, and not for a program of which we are a part."""
    from hydra._internal.sources_registry import SourcesRegistry

    from sim.study.presets import compose

    compose(["market=bank"])
    assert SourcesRegistry.instance().types["file"].__name__ == "FileConfigSource"
