"""What a cell says of its row: bought or not, nothing bought, no customer, in seven languages."""

import re
import unicodedata

NOTHING = {
    *(
        "none",
        "no purchase",
        "nothing",
        "outside",
        "outside option",
        "outside good",
        "no choice",
        "nobuy",
        "no buy",
        "opt out",
    ),
    *(
        "optout",
        "opt-out",
        "no-choice",
        "no-purchase",
        "nopurchase",
        "nochoice",
        "outside_option",
        "no_purchase",
        "no_choice",
    ),
    *(
        "not purchased",
        "did not buy",
        "none of these",
        "none of the above",
        "neither",
        "keine",
        "keiner",
        "kein kauf",
        "nichts",
    ),
    *(
        "geen",
        "niets",
        "geen aankoop",
        "aucun",
        "aucune",
        "aucun achat",
        "rien",
        "ninguno",
        "ninguna",
        "nada",
        "sin compra",
    ),
    *("nenhum", "nenhuma", "sem compra", "nessuno", "nessuna", "niente", "nessun acquisto"),
}
NO_ALTERNATIVE = re.compile(  # of a choice, in more words than `none`
    r"(?:none|neither|nothing)(?: (?:of|from) .*)?|"
    r"(?:i )?(?:would|do|did|will)(?: not|n.?t) (?:buy|choose|purchase|take)"
    r"(?: .*)?|(?:choose |buy )?none|status quo|stay home|keine?[rs]?(?: (?:davon|von .*|der .*))?|geen(?: van .*)?|"
    r"aucune?(?: (?:des?|d') ?.*)?|ningun[oa](?: de .*)?|nenhuma?(?: d.*)?|nessun[oa]?(?: (?:de|di).*)?",
    re.IGNORECASE,
)
NOBODY = {
    *(
        "guest",
        "anonymous",
        "anonym",
        "unknown",
        "not set",
        "(not set)",
        "undefined",
        "noreply",
        "no-reply",
        "gast",
        "unbekannt",
        "onbekend",
        "anoniem",
    ),
    *(
        "invite",
        "invitado",
        "anonimo",
        "desconocido",
        "convidado",
        "desconhecido",
        "ospite",
        "sconosciuto",
        "inconnu",
        "guest checkout",
    ),
    *("cash customer", "cash sale", "cash sales", "walk-in customer", "walk in customer", "counter sale"),
    *(
        "laufkunde",
        "laufkundschaft",
        "barverkauf",
        "kassenkunde",
        "passant",
        "passanten",
        "client de passage",
        "divers",
    ),
    *("client comptoir", "consumidor final", "cliente final", "público general", "público en general"),
    *("cliente genérico", "publico general", "publico en general", "unknown customer"),
    *("venta mostrador", "cliente occasionale", "cliente generico", "contante klant", "balieverkoop", "kontantkund"),
    *("-1", "no id", "noid", "none", "-", "?", "no customer", "walk-in", "walk in", "walkin"),
}
SPENT = {
    "debit",
    "dr",
    "dr.",
    "d",
    "s",
    "soll",
    "debet",
    "af",
    "out",
    "withdrawal",
    "debito",
    "débito",
    "débit",
    "addebito",
}
RECEIVED = {
    "credit",
    "cr",
    "cr.",
    "c",
    "h",
    "haben",
    "bij",
    "in",
    "deposit",
    "credito",
    "crédito",
    "crédit",
    "accredito",
}
ROUNDED = re.compile(r"\d[.,]\d+E\+\d+")  # a long number, as a spreadsheet shows it
TOTAL = re.compile(
    r"(?:(?:grand|sub|overall|column)?[ -]?total(?:s|e|es)?|sums?|(?:end|zwischen)?summen?|gesamt(?:summe|ergebnis)?|"
    r"(?:eind|sub)?totaal|somme|suma|soma|somma)(?: .*|:)?|.* (?:total|summe|totaal|ergebnis)|"
    r"all(?: (?:customers|households|members|users|buyers|panelists))?|alle(?: kunden| klanten)?|"
    r"tous(?: les clients)?|todos|"
    r"(?:average|mean|count|mittelwert|durchschnitt|anzahl|gemiddelde?|moyenne|nombre|"
    r"promedio|media|conteggio|recuento):?",
    re.IGNORECASE,
)
NO_BRAND = {
    *(
        "unknown",
        "other",
        "others",
        "other brand",
        "other brands",
        "all other",
        "misc",
        "various",
        "not set",
        "(not set)",
    ),
    *("unbekannt", "sonstige", "andere", "onbekend", "overig", "overige", "anders", "inconnu", "autre", "autres"),
    *("desconocido", "otro", "otros", "otras", "desconhecido", "outro", "outros", "sconosciuto", "altro", "altri"),
    *(
        "undefined",
        "no brand",
        "unbranded",
        "n/b",
        "generic",
    ),
}
NO_ANSWER = {
    *("don't know", "dont know", "don’t know", "do not know", "dk", "refused", "refusal", "no answer", "no response"),
    *("prefer not to say", "rather not say", "missing", "weiß nicht", "keine angabe", "weet niet", "geen antwoord"),
    *("ne sait pas", "sans réponse", "no sabe", "no contesta", "ns/nc", "não sabe", "non so", "non risponde"),
}
CHARGES = "(?: fees?| costs?| charges?)?"
NO_PRODUCT = re.compile(  # lines of an order that are no product
    rf"(?:dotcom )?postage|shipping(?: & handling)?{CHARGES}|delivery{CHARGES}|carriage|handling|freight|fees?|"
    r"(?:bank |service )?charges?|service fees?|discount|voucher|coupon|gift ?(?:card|voucher|wrap)|deposit|"
    r"tip|donation|sales tax|vat|versand(?:kosten)?|porto|rabatt|gutschein|pfand|verzendkosten|korting|statiegeld|"
    r"cadeau(?:bon|kaart)|frais de port|livraison|remise|consigne|gastos de envio|envio|descuento|spedizione|sconto",
    re.IGNORECASE,
)
CANCELED = re.compile(
    r"(?<!partially )(?<!partially)(cancel|refund|return|reject|storn|retour|rembours|annul|devol|devuelt|"
    r"reembols|rimbors|fail|declin|void|"
    r"chargeback|\berror\b|undeliver|abgelehnt|erstatt|ruckgabe|rueckgabe|gutschrift|geweiger|terugbetaal|credit note|"
    r"creditnote|"
    r"no ?show|\babono\b|\blost\b|verloren|perdue?\b|credit ?memo|revers|nota (?:de |di )?credito|fehlgeschlagen|"
    r"ruckgangig|zuruck|widerruf|teruggestuurd|"
    r"ingetrokken|"
    r"kreditnota|kreditfaktura|makuler|aterbetal|kanseller|peruttu|palautet|hyvitet|zrusen|vracen|dobropis|torolve|"
    r"visszakuld|anulat|returnat|rambursat|отмен|возврат|キャンセル|返品|返金|已取消|取消|关闭|退款|退货|zwroc|korekta|"
    r"estorn|anulowan|zwrot|avbrut|iptal|iade|anulad|abandon|expired|fraud|resi?tuit|reso\b|avoir\b|gescheitert|"
    r"mislukt|echoue)"
)
UNFINISHED = re.compile(
    r"(\b(?:not|nicht|niet|non|no|pas|nao|inte|ikke|nie) (?:yet )?(?:paid|bezahlt|betaald|paye|paga|pago|betald|"
    r"betalt|"
    r"zaplacon|complet|confirm|valid)|unbezahlt|onbetaald|obetald|ubetalt|unpaid|pending|on.?hold|awaiting|draft|"
    r"unavailable|uncollect|overdue|past ?due|checkout(?! payment)|"
    r"quote|estimate|offen\b|ausstehend|wartestellung|in afwachting|in de wacht|"
    r"oczekuj|"
    r"impaye|pendiente|pendente|in attesa|openstaand|proforma)"
)
BROWSED = re.compile(
    r"\b(pv|page ?views?|views?|viewed|view item|product ?views?|details?|clicks?|clicked|cart|add ?to ?cart|"
    r"added to cart|added|remove ?from ?cart|basket|"
    r"add to basket|wish ?list|fav|favou?rite|search|impression|visit|session ?start|begin checkout|login|sign "
    r"?up|list|hover|"
    r"share|like|rate|rating|review|save|compare|ansicht|angesehen|warenkorb|bekeken|winkelwagen|vue|panier|"
    r"vista|carrito|"
    r"carrinho|visualizzazione|visualizacao|carrello|ansehen|browse|open|scroll|email open|subscribe|sample|"
    r"inquiry)\b"
)
BOUGHT = re.compile(
    r"(purchas|paid|ship|deliver|complet|bought|\bbuy\b|\border|sale\b|\bsold|transaction|fulfil|partial|"
    r"process|closed|approv|invoice|"
    r"success|confirm|authori|settled|accept|archiv|\bdone\b|\bok\b|captur|charged|dispatch|\bsent\b|received|"
    r"picked up|collected|bezahlt|\bkauf|gekauft|verkauf|abgeschlossen|geliefert|versandt|versendet|verschickt|"
    r"zugestellt|erledigt|betaald|zrealizowan|oplacon|slutfor|gennemfor|tamamland|"
    r"voltooid|verzonden|koop|gekocht|geleverd|afgerond|paye|achat|achete|vente|livre|termine|expedie|pagad|"
    r"compra|venta|entreg|"
    r"enviad|pago|venda|conclu|pagat|acquist|vendit|consegn|spedit|concret|checked out|besteld|bestellt|valid|"
    r"\bwon\b|check out|payment|zahlung|betaling|paiement|pagament|in (?:bearbeitung|behandeling|lavorazione)|"
    r"en cours|procesando|"
    r"rechnung|"
    r"abgeholt|afgehaald|bezorgd|factuur|facture|factura|fattura|fatura|regle|solde\b|evas[oa]|wyslan|zaplac[oe]n|"
    r"dostarczon|"
    r"leverer|leveret|levert|skickad|betald|betalt|afsendt|sendt|toimitet|maksett|lahetet|dorucen|odeslan|vyrizen|"
    r"dokoncen|"
    r"teslim|kargo|odendi|kiszallit|teljesit|livrat|finalizat|доставлен|оплачен|выполнен|завершен|完了|発送|支払|已完成|成功|已付款|"
    r"已发货|"
    r"active|regular|normal|\bflown\b)"
)


def is_plain(word: str) -> bool:
    """Whether a text is as short as a status is, so that `return` in it is one."""
    return len(re.findall(r"[^\W\d_]+", word)) <= 3 and not re.search(r"\d", word)


def meaning(word: str) -> str:
    """What a status or event says of a row: bought, canceled, unfinished, browsed, or '' for what is not known.

    >>> meaning("Order shipped"), meaning("refunded"), meaning("addToCart")
    ('bought', 'canceled', 'browsed')
    """
    text = re.sub(r"[_\-/.]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word)).strip()
    text = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ł", "l"))
    text = "".join(c for c in text if not unicodedata.combining(c)).lower()
    if re.search(r"(not|un|never|no) ?(return|refund|cancel)", text):
        return "bought"
    for name, pattern in (
        ("canceled", CANCELED),
        ("unfinished", UNFINISHED),
        ("browsed", BROWSED),
        ("bought", BOUGHT),
    ):
        if pattern.search(text):
            return name
    return ""
