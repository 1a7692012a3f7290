"""The words of a command line: Hydra's flags, in any place, and settings NAME=VALUE."""

from collections.abc import Iterator, Sequence

from sim.model.declare import ScenarioError, did_you_mean

FLAGS = {  # Hydra's, and whether a value follows
    **dict.fromkeys(("--multirun", "-m", "--run", "-r", "--resolve", "--hydra-help", "--version"), False),
    **dict.fromkeys(("--shell-completion", "-sc", "--help", "-h"), False),
    **dict.fromkeys(("--cfg", "-c", "--package", "-p", "--info", "-i", "--experimental-rerun"), True),
    **dict.fromkeys(("--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"), True),
}
CHOICES = {"--cfg": ("job", "hydra", "all"), "-c": ("job", "hydra", "all")}
COMMANDS = (("--multirun", "-m"), ("--run", "-r"), ("--cfg", "-c"), ("--info", "-i"), ("--shell-completion", "-sc"))
MULTIRUN = {"-m", "--multirun", "hydra.mode=MULTIRUN"}


def ordered(arguments: Sequence[str]) -> list[str]:
    """Settings first and then flags, as argparse wants them; ScenarioError says which words are neither."""
    settings: list[str] = []
    flags: list[str] = []
    wrong = empty(arguments)
    words = iter(arguments)
    for word in words:
        if word.startswith("-"):
            flags += _flag(word, words, wrong)
        elif "=" in word or word.startswith("~"):
            settings.append(word)
        elif flags[-1:] in (["--info"], ["-i"]):
            flags.append(word)
        else:
            wrong.append(f"{word!r}: not a setting; write NAME=VALUE, as in people=1000, or see --help")
    given = [flag.partition("=")[0] for flag in flags]
    commands = [names[0] for names in COMMANDS if set(names) & set(given)]
    if len(commands) > 1:
        wrong.append(f"{' and '.join(commands)} exclude each other; give one of them")
    if "--resolve" in given and "--cfg" not in commands:
        wrong.append("--resolve: goes with --cfg only")
    if wrong:
        raise ScenarioError(wrong)
    return settings + flags


def _flag(word: str, words: Iterator[str], wrong: list[str]) -> list[str]:
    """A flag with its value, in its full name."""
    name, equals, value = word.partition("=")
    longer = [flag for flag in FLAGS if name.startswith("--") and len(name) > 2 and flag.startswith(name)]
    name = name if name in FLAGS else longer[0] if len(longer) == 1 else name
    if name not in FLAGS:
        wrong.append(f"{name}: no such flag{did_you_mean(name, FLAGS)}")
        return []
    if equals and not FLAGS[name]:
        wrong.append(f"{word}: {name} takes no value")
    if not FLAGS[name] or (name in ("--info", "-i") and not equals):  # whose value may be left out
        return [name]
    value = value or next(words, "")
    if not value:
        wrong.append(f"{name}: a value is missing")
    elif value not in CHOICES.get(name, (value,)):
        wrong.append(f"{name}: {value!r} is none of {', '.join(CHOICES[name])}")
    return [name, value]


def empty(arguments: Sequence[str]) -> list[str]:
    """Complaints about settings without a value: a variable of the shell that is not set."""
    names = [a[:-1].lstrip("+") for a in arguments if a.strip().endswith("=") and a[:1] not in "-~"]
    return [f"{name}: no value is given (an unset variable?); '{name}=\"\"' is an empty text" for name in names]
