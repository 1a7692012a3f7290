"""Reads preset files within bounds and checks that they are data, before Hydra composes them.

A preset may come from anybody (--config-dir, hydra.searchpath), and to Hydra it is a program: `hydra.callbacks` and
`_target_` call what they name, `${oc.env:...}` reads the environment, aliases and defaults lists can be without end.
So Hydra reads every file that is not the package's own through this module, also in sweeps and to show a config.

A market may also be chosen by where it lies: market=out/mine is the file out/mine/market.yaml, unless a preset has that
name. Files that a preset names (FILES) are found from where the preset lies.
"""

import os
import re
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.core_plugins.importlib_resources_config_source import ImportlibResourcesConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigResult, ConfigSource
from omegaconf import DictConfig, OmegaConf

from sim.model.declare import ScenarioError
from sim.model.scenario import FILES
from sim.study.bounds import DEEPEST, FOREIGN, MOST_NODES, foreign_reference
from sim.study.defaults import CONF, register_defaults

MOST_BYTES = 256 * 1024  # of one file; 64 firms with every number written out take half of it
LONGEST_WORD, LONGEST_TEXT = 100, 1000  # characters of a number or name, and of a text
MOST_DEFAULTS = 400  # presets that those of one folder may lead to; Hydra needs two calls in each other for each

MARKET = "market.yaml"  # the preset in a folder that is chosen as a market

_NAME = r"\w[\w-]*(?:\.\w[\w-]*)*"
_PLACE = rf"/?{_NAME}(?:/{_NAME})*"
_ENTRY = re.compile(rf"(?:(?:override|optional) +)*{_PLACE}(?:@{_NAME})?")
_HYDRA = re.compile(r"(?<!\w)hydra(?!\w)")
_lock = threading.RLock()  # Hydra's state is global


@contextmanager
def guarded() -> Iterator[None]:
    """Within it, Hydra knows the declared defaults and reads presets through our checks, except the package's own.

    Launchers take this to other processes with them: what is registered is found by its module and name there, and
    is called as Hydra's own, which it would register too.
    """
    Plugins.instance()  # fills the registry, the first time
    register_defaults()
    with _lock:
        registry = SourcesRegistry.instance()
        before = registry.types
        registry.types = before | {"file": _Folder, "pkg": _Package}
        try:
            yield
        finally:
            registry.types = before


class _Folder(FileConfigSource):
    """A folder of presets, which may be the package's own."""

    ours = os.path.realpath(CONF)

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._file(config_path)
        if Path(os.path.realpath(file)).is_relative_to(self.ours):
            found = super().load_config(config_path)
        else:
            with open(file, "rb") as opened:
                found = _result(self, config_path, _shown(file), opened.read(MOST_BYTES + 1))
            if file == self._own_market(config_path):
                found.header["package"] = found.header["package"] or "_global_"
        _locate(found.config, os.path.dirname(os.path.abspath(file)))
        return found

    def is_config(self, config_path: str) -> bool:
        file = self._file(config_path)
        if os.path.lexists(file) and not os.path.isfile(file):  # a pipe would be waited for
            raise ScenarioError([f"{_shown(file)}: not a regular file, so no preset"])
        return super().is_config(config_path) or bool(self._own_market(config_path))

    def _file(self, config_path: str) -> str:
        file, own = os.path.join(self.path, self._normalize_file_name(config_path)), self._own_market(config_path)
        return own if own and ("/" in config_path.removeprefix("market/") or not os.path.lexists(file)) else file

    def _own_market(self, config_path: str) -> str:
        """The file of a market that is chosen by where it lies; "" if there is none, or in a folder added to ours."""
        group, _, place = config_path.partition("/")
        if group != "market" or os.path.realpath(self.path) != self.ours:
            return ""
        files = (os.path.join(place, MARKET), *([place] if place.endswith((".yaml", ".yml")) else []))
        return next((file for file in files if os.path.isfile(file)), "")


def _locate(config: object, folder: str) -> None:
    """Make the names of files in a preset of a whole scenario those from where it lies."""
    if isinstance(config, DictConfig):
        for name in FILES:
            path = None if OmegaConf.is_interpolation(config, name) else config.get(name)
            if isinstance(path, str) and path:
                config[name] = os.path.join(folder, path)


class _Package(ImportlibResourcesConfigSource):
    """Presets inside an installed package; Hydra's own and those of its plugins are settings, not presets."""

    def load_config(self, config_path: str) -> ConfigResult:
        if self.path.partition(".")[0] in ("hydra", "hydra_plugins"):
            return super().load_config(config_path)
        file = resources.files(self.path).joinpath(self._normalize_file_name(config_path))
        with file.open("rb") as opened:
            return _result(self, config_path, _shown(str(file)), opened.read(MOST_BYTES + 1))


_Folder.__name__, _Package.__name__ = FileConfigSource.__name__, ImportlibResourcesConfigSource.__name__


class _Preset(ConfigResult):
    """A preset that counts the defaults it leads to: Hydra asks for them once for each place that it takes."""

    def __init__(self, source: Any, file: str, config: Any, header: dict[str, str | None]):
        self._source, self._shown = source, file
        super().__init__(source.provider, source.full_path(), config, header)

    @property
    def defaults_list(self) -> Any:
        self._source.led = getattr(self._source, "led", 0) + 1 + len(self._defaults or ())
        if self._source.led > MOST_DEFAULTS:
            raise ScenarioError(
                [f"{self._shown}: its defaults lead to more than {MOST_DEFAULTS} presets, or back to itself"]
            )
        return self._defaults

    @defaults_list.setter
    def defaults_list(self, value: Any) -> None:
        self._defaults = value


def _result(source: ConfigSource, config_path: str, file: str, content: bytes) -> ConfigResult:
    """The preset in `content`; ScenarioError, which names the file, if it is more or other than data."""
    try:
        if _HYDRA.search(config_path):
            raise _Refused("sets something of Hydra's, which only the command line may")
        text = _text(content)
        _check_events(text)
        config = OmegaConf.create(text)
        header = ConfigSource._get_header_dict(text[:512])
        _check_data(OmegaConf.to_container(config), header["package"] or "")
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ScenarioError([f"{file}{line}: {error.problem or error.context}"]) from None
    except (ValueError, AttributeError, yaml.YAMLError) as error:  # of ours, the header's, the reader's, or a number's
        raise ScenarioError([f"{file}: {str(error).splitlines()[0]}"]) from None
    return _Preset(source, file, config, header)


class _Refused(ValueError):
    """What a preset may not be or say."""


def _text(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise _Refused(f"larger than {MOST_BYTES // 1024} KiB, the most that a preset may be")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} is {content[error.start]:#04x}"
        raise _Refused(f"not text in UTF-8 ({found}); save it in that encoding") from None


def _check_events(text: str) -> None:
    """Hold size, depth and each value to their bounds, without building anything."""
    nodes, top = 0, True
    around: list[list[Any]] = []  # of each open collection: its anchor, the nodes before it, its height so far
    known: dict[str | None, tuple[int, int]] = {}  # size and height of what an alias stands for
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        size, height = 0, 0
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in known:
                raise _Refused(f"{_line(event)}: *{event.anchor} names nothing before it, or what it is part of")
            size, height = known[event.anchor]
        elif isinstance(event, yaml.ScalarEvent):
            _check_scalar(event)
            size = 1 + 10 * event.value.count("${")  # which take that much longer
        elif isinstance(event, yaml.CollectionStartEvent):
            around.append([event.anchor, nodes, 0])
            size = 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before, height = around.pop()
            height += 1
            known[anchor] = nodes - before, height
        nodes += size
        if isinstance(event, yaml.NodeEvent):
            if top and not isinstance(event, yaml.MappingStartEvent):
                raise _Refused("not a set of names with values, as in  people: 1000")
            _check_tag(event)
            top = False
        if isinstance(event, yaml.ScalarEvent) and event.anchor:
            known[event.anchor] = size, 0
        if around:
            around[-1][2] = max(around[-1][2], height)
        if nodes > MOST_NODES:
            raise _Refused(f"{_line(event)}: more than {MOST_NODES:,} names and values, aliases counted in full")
        if len(around) + height > DEEPEST:
            raise _Refused(f"{_line(event)}: nested more than {DEEPEST} levels deep")
    if top:
        raise _Refused("empty; a preset that says nothing is {}")


def _line(event: yaml.Event) -> str:
    return f"line {event.start_mark.line + 1}"


def _check_tag(event: Any) -> None:
    if getattr(event, "tag", None):
        raise _Refused(f"{_line(event)}: {event.tag!r} is a tag; a preset has plain values only")


def _check_scalar(event: yaml.ScalarEvent) -> None:
    value = event.value
    longest = LONGEST_TEXT if event.style or re.search(r"\s", value) else LONGEST_WORD
    if len(value) > longest:
        raise _Refused(f"{_line(event)}: a value of {len(value):,} characters, above {longest:,}")
    control = next((c for c in value if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"), "")
    if control:
        raise _Refused(f"{_line(event)}: {control!r} is no character of a text")
    if foreign_reference(value):
        raise _Refused(f"{_line(event)}: {value[:60]!r} {FOREIGN}")


def _check_data(config: Any, package: str) -> None:
    if not re.fullmatch(rf"(?:{_NAME})?", package) or _HYDRA.search(package):
        raise _Refused(f"'# @package {package}' is no place in a scenario")
    if "hydra" in config:
        raise _Refused("hydra: sets something of Hydra's, which only the command line may")
    _check_names(config, "")
    for word in _chosen(config.get("defaults", [])):
        if not (isinstance(word, str) and _ENTRY.fullmatch(word)) or _HYDRA.search(word):
            raise _Refused(f"defaults: {word!r} names no preset, as in  - /firm@firms.new: standard")


def _chosen(defaults: Any) -> Iterator[Any]:
    """The groups, places and names of a defaults list."""
    if not isinstance(defaults, list):
        raise _Refused(f"defaults: {defaults!r} is not a list")
    for entry in defaults:
        for group, names in entry.items() if isinstance(entry, dict) else [(entry, None)]:
            yield group
            yield from names if isinstance(names, list) else [names] if names is not None else []


def _check_names(node: Any, path: str) -> None:
    children: Any = node.items() if isinstance(node, dict) else ((str(n), value) for n, value in enumerate(node))
    for name, value in children:
        if not isinstance(name, str):
            raise _Refused(f"{path}{name}: a name must be text; in quotes, {str(name)!r} is")
        if re.fullmatch(r"_\w+_", name) or "$" in name:
            raise _Refused(f"{path}{name}: would be carried out, and a preset is data")
        if isinstance(value, dict | list):
            _check_names(value, f"{path}{name}.")


def _shown(file: str) -> str:
    """A path as its reader would write it: from where they are, if it lies below."""
    path = Path(os.path.abspath(file))
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
