"""How names of a scenario are shown on the page."""


def in_words(name: str) -> str:
    """A name in words: without underscores, and without the week that tells events apart.

    >>> in_words("data_breach_w12")
    'data breach'
    """
    stem, _, week = name.rpartition("_w")
    return (stem if stem and week.replace("_", "").isdigit() else name).replace("_", " ")


def title(name: str) -> str:
    """The name of a firm as it is shown; a name without vowels is an abbreviation.

    >>> title("boots"), title("gsk")
    ('Boots', 'GSK')
    """
    return in_words(name).title() if set("aeiouy") & set(name.lower()) else in_words(name).upper()


def spaced(path: str) -> str:
    """The path of a parameter in words.

    >>> spaced("touchpoints.app.failure_rate")
    'touchpoints: app: failure rate'
    """
    return path.replace("_", " ").replace(".", ": ")
