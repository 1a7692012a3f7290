"""Writes dates as people and programs write them in the few forms that `dates` reads: names of months, zones, words."""

import re
import unicodedata

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan jaen january januar januari janvier janv enero ene janeiro gennaio gen "
            "jaenner sty styczen stycznia "
            "leden ledna ocak янв январь января",
            "feb february februar februari fevrier fevr fev febrero fevereiro febbraio lut luty lutego unor unora "
            "subat фев февр февраль февраля",
            "mar maer march maerz marz mrz mrt maart mars marzo marco marts "
            "marzec marca brezen brezna mart мар март марта",
            "apr april avril avr abril abr aprile kwi kwiecien kwietnia duben dubna nisan апр апрель апреля",
            "may mai mei mayo maio maggio mag maj maja kveten kvetna mayis май мая маи",
            "jun june juni juin junio junho giugno giu cze czerwiec czerwca cerven cervna haziran июн июнь июня",
            "jul july juli juillet juil julio julho luglio lug lip lipiec lipca cervenec cervence temmuz июл июль июля",
            "aug august augusti augustus aout agosto ago sie sierpien sierpnia srpen srpna agustos авг август августа",
            "sep sept september septembre septiembre setembro set settembre wrz wrzesien wrzesnia zari eylul "
            "сен сент сентябрь сентября",
            "oct october oktober okt octobre octubre outubro out ottobre ott paz pazdziernik "
            "pazdziernika rijen rijna "
            "ekim окт октябрь октября",
            "nov november novembre noviembre novembro lis listopad listopada listopadu kasim ноя нояб ноябрь ноября",
            "dec december dezember dez decembre diciembre dic dezembro dicembre gru grudzien grudnia prosinec prosince "
            "aralik дек декабрь декабря",
        ),
        1,
    )
    for name in names.split()
}
USUAL = re.compile(
    r"[\d.]*|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ][\d:.]+(?: ?(?:Z|UTC|[+-][\d:]+))?)?"
)  # most are, and fast
FORMS = [  # what it is, what it becomes
    (re.compile(form), to)
    for form, to in (
        (r"/Date\((\d+)[^)]*\)/", r"\1"),  # as JavaScript's JSON has them
        (r"(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]", r"\1-\2-\3"),
        (r" [A-Z][A-Za-z]+/[A-Za-z_]+(?:/[A-Za-z_]+)?$", ""),  # Europe/Amsterdam
        (r"\b([AaPp])\. ?([Mm])\.?", r"\1\2"),
        (r"['’](?=\d\d\b)", ""),  # of '23
        (r"^(?:\d{1,2} )?(?:w/?[ce]|(?:wks?|weeks?) (?:of|to|ending|commencing|beginning|starting)) (?=.*\d)", ""),
        (r"(?<=[a-z]) of (?=\D)", " "),  # 3rd of May
        (r",? (?:à|a las|at|um|om|alle|kl\.?|o|às) (?=\d{1,2}[:.hH])", " "),
        (r"(?<=[:.]\d\d) ?(?:h|hrs|uur)\.?$", ""),
        (r"^(\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?),? (?=\S*\d|[A-Za-z])(.+)$", r"\2 \1"),  # the clock first
        (r"^(\w{3} \w{3} +\d{1,2}) (\d\d:\d\d:\d\d) (?:[A-Z]{3,4} |[+-]\d{4} )?(\d{4})$", r"\1 \3 \2"),  # of Unix
        (r"^(\d{4})(\d\d)(\d\d)(?=[T ]\d{1,2}:)", r"\1-\2-\3"),
    )
]


def plain_date(text: str) -> str:
    """A date without accents, names of zones and words between day and clock, with the clock last.

    >>> plain_date("20 févr. 2023 à 10:05"), plain_date("10:05 20/01/2023"), plain_date("Fri Jan 20 10:05:00 CET 2023")
    ('20 fevr. 2023 10:05', '20/01/2023 10:05', 'Fri Jan 20 2023 10:05:00')
    """
    if USUAL.fullmatch(text):
        return text
    text = text.replace("ß", "ss").replace("ä", "ae").strip()
    for form, to in FORMS:
        text = form.sub(to, text)
    text = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("ı", "i"))
    return "".join(c for c in text if not unicodedata.combining(c))
