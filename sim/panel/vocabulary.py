"""Usual names of columns in purchase files, in seven languages.

Names are compared as `normalized` makes them: without accents, blanks and capitals. The languages are English, Dutch,
German, French, Spanish, Portuguese and Italian; `translations` has words of others.
"""

import re
import unicodedata
from functools import lru_cache

from sim.panel.translations import translated

ID = r"(?:id|ids|no|nr|num|nbr|number|nummer|key|code|numero|ref|uuid|identifier|kennung|hash)?"
PRE = r"(?:id|no|nr|n|num|numero|cod|code|codigo|codice|identifiant|sys|pseudo)?(?:de|del|da|do|di|du)?"


@lru_cache(1 << 14)
def normalized(name: str) -> str:
    """A name without accents, blanks and capitals.

    >>> normalized("Customer ID"), normalized("customer_id")
    ('customerid', 'customerid')
    """
    text = translated(re.sub(r"(?<=\w) ?#$", " no", name.strip()))  # Order #
    text = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("æ", "ae"))
    return re.sub(r"[^a-z0-9]+", "", "".join(c for c in text if not unicodedata.combining(c)).lower())


def _words(*lines: str) -> str:
    return "(?:" + "|".join(sorted(" ".join(lines).split(), key=len, reverse=True)) + ")"


PERSON = _words(
    "hh hhid hid household panelist panid panel panelid customer cust client shopper user member person subscriber",
    "respondent resp uid consumer buyer visitor policyholder account card loyaltycard cardholder patron guest",
    "individual surveyresponse responseid respnum insured insuredperson passenger traveler traveller patient",
    "driver tenant befragter befragte befragten proband teilnehmer deelnemer repondant encuestado intervistato",
    "versicherten versicherte abo haushalt haushalts kunde kunden kundenkonto mitglied mitglieds kaufer nutzer",
    "abonnent versicherter kundenkarte karten person kundenkartennummer kartennummer",
    "huishouden klant klanten klantenkaart klantkaart kaart bonuskaart pas klantpas gebruiker koper lid abonnee",
    "kund kunde medlem hushall husstand klienta klient konsument gospodarstwo musteri",
    "foyer menage acheteur utilisateur abonne membre cartefidelite adherent",
    "hogar cliente comprador usuario socio abonado tarjeta",
    "domicilio agregado consumidor assinante cartao membro",
    "debitor debitoren debitornr debiteur debtor soldto soldtoparty billto selltocustomer msisdn",
    "rider player viewer listener reader donor student carte loyalty loyaltymember cpf cnpj dni asiakas",
    "versicherungsnehmer subject borrower anonymous distinct verzekerde verzekerden",
    "pid pidp xwaveid mpan mprn panellist clubcard kd",
    "hshd acct msno ffp frequentflyer asiakasnumero zakaznik rekening iban konto cuenta conto compte",
    "famiglia acquirente utente tessera abbonato socio",
)
CUSTOMER = (  # tiers: the first with a hit is taken
    (r"(?:customer|client|user)unique" + ID,),
    (PRE + PERSON + "s?(?:pseudo)?" + PERSON + "?" + ID,),
    (
        r"(?:customer|client|user|buyer|billing|contact|member|subscriber|kunden|klant)?(?:email|mail)(?:address|adresse)?(?:billing|"
        r"customer)?",
        r"correo(?:electronico)?",
        PERSON + "?(?:username|login|nickname)",
    ),
    (
        PERSON + "?" + PERSON + r"(?:full)?(?:name|naam|nom|nombre|nome)",
        r"(?:nom|nombre|nome)(?:de|del|du|da|do)?(?:l|la)?" + PERSON,
    ),
    (r"(?:device|cookie)(?:id|uuid|identifier|key|hash|no)",),
    (r"id", r"ids?nr", r"name|naam|nom|nombre|nome", r"(?:phone|telephone|mobile)(?:number|no)?"),
)
WHEN = _words(
    "order orders ordered purchase purchased invoice transaction transactions trans trx txn event created "
    "creation payment",
    "sale sales sold visit shop shopping trip basket receipt billing bill booking posting bought survey ticket "
    "observation obs",
    "scan scanned placed bet charge fill filled pickup rental checkout passage bezoek bezuch",
    "snapshot reference reporting report statement local utc entry calendar tran trade day",
    "bestell kauf rechnungs auftrags buchungs beleg verkaufs transaktions einkaufs erstellt bon kassenbon",
    "aankoop bestel factuur koop transactie verkoop besteld kassabon op kop kobs zakupu zamowienia",
    "commande achat facture vente de la du d l",
    "pedido compra factura venta transaccion creacion del fatura venda da do transacao",
    "scontrino acquisto ordine fattura vendita transazione di dell dellordine dell",
)
DAY_OF_YEAR = "doy|dayofyear|yearday|dayoftheyear|juliandays?|julian|tagdesjahres"
MOMENTS = (  # the finest first
    (
        *(
            "t",
            "occasion",
            "time",
            "timestamp",
            "datetime",
            "dateandtime",
            "at",
            "on",
            "ts",
            "zeitstempel",
            "zeitpunkt",
        ),
        *(
            "tijdstip",
            "zeit",
            "tijd",
            "tijdstempel",
            "horodatage",
            "fechahora",
            "fechayhora",
            "datahora",
            "dataora",
            "datumuhrzeit",
            "dt",
        ),
    ),
    (
        *("date", "datum", "fecha", "data", "dates", "dato", "paivamaara"),
        *("tarih", "created", "weekending", "weekcommencing"),
        *("weekbeginning", "weekstarting", "weekstart", "weekof", "wc", "checkin", "checkindate"),
    ),
    (
        *("day", "tag", "dag", "jour", "dia", "giorno", "daynumber", "daynum", "dayno"),
        *DAY_OF_YEAR.split("|"),
    ),
    (
        "week",
        "weeks",
        "weeknumber",
        "weekno",
        "weeknum",
        "woche",
        "kw",
        "yearweek",
        "isoweek",
        "weekyear",
        "yearisoweek",
        "jahrwoche",
        "jaarweek",
        "uke",
        "vecka",
        "kalenderwoche",
        "semaine",
        "semana",
        "settimana",
    ),
    ("period", "periode", "periodo", "wave", "round", "welle", "golf", "occasionnumber"),
    ("month", "yearmonth", "monat", "maand", "mois", "mes", "mese", "monthyear"),
    ("quarter", "quartal", "kwartaal", "trimestre"),
    ("year", "jahr", "jaar", "annee", "ano", "anno", "an"),
)
AFTER_PURCHASE = re.compile("invoice|bill|posting|booking|payment|rechnung|buchung|factu|fattur|fatura")
NO_PURCHASE_TIME = re.compile(
    "ship|deliver|due|birth|(?<!pick)updat|modif|cancel|return|refund|expir|estimat|approv|sign|regist|first|last|next|fulfil|"
    "since|until|geburt|liefer|levering|livraison|naissance|entrega|nacimiento|consegna|nascita|nascimento|enrol|join|paid"
)
MOMENT = [(rank, w) for rank, words in enumerate(MOMENTS) for w in words]
YEAR_WEEKS = (  # may hold 202405, 2024-05 or 05/2024
    r"(?:year|jahr|jaar|iso|yeariso|kalender)?(?:week|weeks|wk|kw|woche|semaine|semana|settimana|vecka|uke)(?:year|"
    r"no|nr)?"
)
CLOCKS = re.compile(f"{WHEN}*(?:time|hour|clock|uhrzeit|zeit|heure|hora|ora|tijd|timeofday|transtime){WHEN}*")
PROVIDER = (  # of which customers have one at a time
    r"(?:main|primary|current|haupt|hoofd|energie|energy|strom|power|gas|zorg|kranken|health|auto|car|home|mobil|"
    r"mobile|"
    r"mobiel|telecom|internet|phone|telefon|pension)?"
    r"(?:provider|operator|bank|insurer|carrier|network|supplier|anbieter|aanbieder|verzekeraar|versicherer|"
    r"versicherung|"
    r"versorger|kasse|leverancier|fournisseur|operateur|assureur|banque|proveedor|operador|banco|aseguradora|"
    r"seguradora|"
    r"fornecedor|fornitore|operatore|gestore|banca|plan|tariff)(?:name|id|code|principal|principale)?"
)
BRAND = (
    (
        r"(?:product|item|lineitem|article|artikel|sku|properties|attribute|pa|parent|main|line|order)?"
        + PRE
        + r"(?:brand|marke|markenname|merk|merknaam|marque|marca|brandname|marka|marki|varumarke|maerke|merke|"
        r"marchio|merkki|znacka)s?"
        r"(?:name|descr|desc|description|bought|chosen|purchased|gekocht|gekauft|achetee?|comprada|acquistata)?",
    ),
    (
        r"(?:choice|chosen|firm|product|provider|company|supplier|merchant|alternative|alternatief|alternativa|alt|(?:main)?mode|bank|insurer|"
        r"operator)(?:name|bought|chosen)?",
        PROVIDER,
        r"(?:restaurant|airline|app|platform|station|service|counterparty|payee|hotel|tankstelle|gasolinera)(?:name)?",
        r"fornitore|operatore|gestore|firma|bedrijf|entreprise|empresa|azienda|societe|compagnie|versicherer|"
        r"versorger",
        r"choix|keuze|wahl|eleccion|escolha|scelta|produkt|produit|producto|produto|prodotto|seguradora|"
        r"aseguradora|pick",
    ),
    (
        r"(?:product|item|lineitem)?(?:vendor|manufacturer|maker|hersteller|fabrikant|fabricant|fabricante|produttore|producer|retailer|"
        r"seller|label)(?:name)?",
        r"(?:store|shop|(?:hotel|store|retail|supermarket)?chain|cadena|cadeia|catena|kette|keten|chaine|winkel|laden|tienda|magasin|loja|negozio|supermarket|winkelketen|handler|insegna|"
        r"enseigne)(?:name)?",
        r"brand" + "(?:id|code|no|nr|number)",
        r"(?:seller|vendor|merchant|manufacturer|provider|supplier|operator|insurer|bank|firm|company)(?:id|code|no|"
        r"nr)",
    ),
    (
        r"(?:lineitem|product|item|article|artikel|produkt|produit|producto|produto|prodotto|drug|medicine)(?:name|title|"
        r"description|desc|bezeichnung|omschrijving|naam)|(?:libelle|designation|descripcion|descricao|descrizione)"
        r"(?:del?|d)?(?:l|la)?(?:article|articulo|artigo|articolo|produit|producto|produto|prodotto)",
        r"(?:menu)?item|sku|article|artikel|articulo|artigo|articolo|description|upc|colupc|gtin|ean|asin|stockcode|variety|flavou?r|"
        r"title|titel|titre|titulo|titolo",
        r"(?:product|prod|item|article|artikel|sku)(?:id|code|no|nr|nbr|num|number|nummer|key)|omschrijving|bezeichnung|designation",
        r".+(?:brand|marke|merk|marque|marca)(?:name|bought|chosen|purchased)?",
    ),
)
ORDER = (
    PRE
    + _words(
        "salesorder order orders invoice basket transaction receipt trip ticket bon kassenbon bestellung bestell",
        "auftrag auftrags",
        "rechnung rechnungs beleg bestelling bestel factuur commande facture pedido factura fatura ordine "
        "fattura scontrino",
        "visit purchase checkout cart txn trans trx kassabon cesta panier usersession session",
    )
    + "s?"
    + ID,
)
CHOICE_SET = (
    r"(?:chid|occ|choiceid|choiceset|choicesetid|situation|task|taskid|obs|obsid|case|caseid|question|set|qes|ques|"
    r"choicesituation|idx|screen|scenario|choicetask|taak|aufgabe|tache|tarea)",
)
FLAG = (
    r"(?:is)?(?:choice|chosen|choose|select|selected|bought|purchased|purchase|buy|pick|picked|decision|y|chose|"
    r"choicemade|made|response|resp|selection|choiceflag|ischosen|ischoice|depvar|dependent|outcome|won|win)",
    r"gekauft|gewahlt|gekozen|gekocht|keuze|wahl|achete|choisi|choix|comprado|elegido|eleccion|escolhido|"
    r"escolha|acquistato|scelto|scelta",
)
COUNTS = r"(n|no|num|number|numberof)?(?:purchases|orders|trips|visits|transactions)"  # how many in a week or month
QUANTITY = (
    r"(?:lineitem|item|product|order|ordered|sales|sold|purchase|total|net|units|billed|invoiced|no|num|numberof|nbof)?"
    r"(?:quantity|quantities|qty|units|unit|pieces|pcs|packs|nunits|numunits|itemcount|volume)(?:sold|ordered|"
    r"bought|purchased)?",
    r"menge|anzahl|packungen|stk|stuck|stuckzahl|stueck|bestellmenge|aantal|aantalstuks|hoeveelheid|stuks|quantite|qte|nbre?|"
    r"cantidad|cant|unidades|antal|antall|ilosc|adet|maara|mnozstvi|uds|cantitate|mennyiseg",
    r"quantidade|qtd|qtde|quantita|qta|pezzi|count|number|items",
    COUNTS,
)
PRICE = (
    r"(?:lineitem|item|unit|product|purchase|sale|sales|order|retail|paid|net|gross|grand|total|line|"
    r"shelf)?(?:price|amount|"
    r"revenue|sales|value|spend|spent|total)"
    r"(?:each|paid|total|usd|eur|gbp|unit|perunit|peritem|value|amount|base|purchased)?",
    r"(?:einzel|stuck|verkaufs|gesamt)?preis|betrag|umsatz|gesamtbetrag|(?:stuks)?prijs|bedrag|omzet|"
    r"prix(?:unitaire)?|montant",
    r"(?:preis|prijs|prix|precio|preco|prezzo)(?:pro|per|par|por|a|la|al|je)?(?:stuck|stk|stuks?|piece|unite|unidad|"
    r"unidade|pezzo|unitaire|unitario)(?:ttc|ht|htva|inkl|incl|excl)?(?:mwst|btw|tva|iva)?",
    r"precio(?:unitario)?|importe|preco(?:unitario)?|valor|prezzo(?:unitario)?|importo|dollars|paid|cost|spend",
)
OF_ONE = re.compile("price|preis|prijs|prix|precio|preco|prezzo")  # in the name of a column: of one unit
OF_ALL = re.compile("total|gesamt|sum")  # of all the units of a line
STATUS = (
    r"(?:order|payment|financial|delivery|fulfillment|fulfilment|transaction|sale|shipping|line|item|invoice|"
    r"subscription|booking|trip|ride|reservation|ticket|purchase|charge|settlement|checkout|shipment|dispatch|bet|"
    r"claim)?status(?:id|code|name|desc|description)?",
    r"(?:bestell|auftrags|zahlungs|liefer|versand)status|(?:bestel|betaal|order|verzend|lever)status|"
    r"statut(?:commande)?|"
    r"estado(?:delpedido|pedido)?|statodellordine",
    r"stato(?:ordine)?|situacao|orderstate|state|(?:deal|opportunity|order)?stage",
    r"(?:sales?|purchase)(?:or)?returns?|returns?(?:or)?sales?",
    r"(?:event|action|behaviou?r|activity|interaction|transaction|document|doc|movement|record|row|line|order|"
    r"sale)(?:type|name)?",
    r"(?:beleg|vorgangs|buchungs|auftrags|bestell|umsatz|transaktions)(?:art|typ)|(?:boekings|document|"
    r"transactie)soort|"
    r"(?:sale|order|transaction)?kind|tipo(?:de|di)?(?:documento|transaccion|movimiento|operacion|transazione|"
    r"operazione)|"
    r"type(?:de)?(?:document|transaction|operation|mouvement)|contractstatus|vertragsstatus|"
    r"type|typ|art|ereignis|ereignistyp|aktion|gebeurtenis|evenement|actie|soort|evento|tipo|tipoevento|azione|"
    r"accion|acao",
)
STRONG_STATUS = re.compile(
    r".*(status(id|code|name|desc|description)?|statut|estado|stato|event(type|name)?|(behaviou?r|action|activity|interaction)(type)?|ereignis|"
    r"evenement|evento)"
)
REFUND_FLAG = (
    r"(?:return|refund|cancel|cancellation|void|rma)(?:ed)?(?:reason|id|no|nr|number|ref|reference|code)",
    r"(?:is|was)?(?:reversed|reversal|rejected|declined|chargeback|returned|return|refunded|refund|cancel|cancelled|canceled|cancellation|void|voided|storno|"
    r"storniert|retour|test|testorder|demo|duplicate|spam|deleted)(?:ed)?(?:flag|at|date|yn)?",
    r"(?:ist|is)?test(?:bestellung|bestelling|kauf|aankoop|auftrag|purchase|transaction)|commandetest|pedidodeprueba",
    r"geretourneerd|geannuleerd|retourne|annule|devuelto|cancelado|reso|annullato|devolvido",
)
ON_TOP = re.compile(  # amounts of an order that are no brand's
    "discount|coupon|voucher|gift|ship|freight|deliver|tax|vat|fee|tip|refund|credit|point|rabatt|gutschein|versand|steuer|"
    "mwst|korting|verzend|btw|remise|livraison|tva|descuento|envio|impuesto|iva|desconto|frete|imposto|sconto|spedizione"
)
OF_A_REFUND = re.compile("(?:reason|id|no|nr|number|ref|reference|code)$")
BOUGHT_FLAG = (
    r"(?:is|was|has|order|payment|invoice|sale|transaction)*(?:completed?|valid|validated|paid|successful|success|"
    r"confirmed|approved|captured|settled|accepted)(?:flag|yn)?",
    r"(?:ist|is)?(?:gultig|bezahlt|abgeschlossen|bestatigt|geldig|betaald|voltooid|bevestigd)|paye+|validee?|"
    r"confirmee?|"
    r"terminee?|pagad[oa]|completad[oa]|valid[oa]|confirmad[oa]|pagat[oa]|completat[oa]|confermat[oa]|pag[oa]|"
    r"concluid[oa]",
)
DEBIT_OR_CREDIT = (
    r"(?:debit|dr|d|soll|debet|af)(?:or|of|oder)?(?:credit|cr|c|haben|kredit|bij)(?:indicator|kennzeichen|flag|type|code)?|"
    r"(?:credit|cr|haben|bij)(?:or|of|oder)?(?:debit|dr|soll|af)(?:indicator|kennzeichen|flag|type|code)?|sollhabenkennzeichen"
)
SPENT = r"(?:debit|withdrawal|paidout|moneyout|soll|debet|debito|auszahlung|uitgaven|af)s?(?:amount|betrag|bedrag)?"
RECEIVED = r"(?:credit|deposit|paidin|moneyin|haben|credito|einzahlung|inkomsten|bij)s?(?:amount|betrag|bedrag)?"
PAID_BACK = (
    r"(?:amount|total|value|net)?(?:refunded|refund|refunds|returned)(?:amount|total|value)?(?:usd|eur|gbp)?",
    r"montantrembourse|erstatt(?:eter|ungs)?betrag|ruckerstattung(?:sbetrag)?|terugbetaaldbedrag|importereembolsado|"
    r"importorimborsato|valor(?:reembolsado|devolvido)",
)
REFUNDED_QUANTITY = (
    r"(?:quantity|qty|units|items)(?:refunded|returned|canceled|cancelled|returns?)",
    r"(?:refunded|returned|canceled|cancelled|return|refund)(?:quantity|qty|units|items|quantities)",
    r"(?:retouren|storno|ruckgabe)menge|(?:retour|geretourneerd|geannuleerd)aantal|quantite(?:retournee|remboursee)",
)
BEGUN = (  # of a spell, where no column is called its start
    r"(?:subscription|contract|policy|account|plan|membership)?(?:created|activated|activation|effective|opened|signup|"
    r"signedup|enrolled|inception)(?:date|at|on|month)?",
)
OVER = (
    r"(?:subscription|contract|policy|account|plan|membership)?(?:canceled|cancelled|cancellation|terminated|"
    r"termination|"
    r"closed|expiry|expires?|expired|expiration|churned|lapsed)(?:date|at|on|month)?",
)
DURATION = (  # of a spell; its unit is the last group, or in the cells
    r"(?:contract|policy|subscription|spell|membership|plan|account|customer|service|vertrags?|contrats?)?"
    r"(?:duration|tenure|lasted|looptijd|duur|laufzeit|dauer|duree|duracion|duracao|durata)(?:in|en|de)?"
    r"(days?|weeks?|months?|years?|tage?n?|wochen?|monaten?|jahren?|dagen|weken|maanden|jaren|jours|semaines|mois|ans|"
    r"dias|semanas|meses|anos|giorni|settimane|mesi|anni)?",
)
WEIGHT = (
    r"(?:household|hh|panel|sample|sampling|survey|projection|demographic|person|respondent|case)?(?:weight|"
    r"weights|wt|wgt|projectionfactor|factor)",
    r"gewicht|gewichtung|hochrechnungsfaktor|hochrechnung|weging|wegingsfactor|poids|ponderation|peso|pesos|"
    r"ponderacion|ponderacao|pesocampione",
)
START = (
    r"(?:contract|policy|subscription|spell|valid|membership|plan|account|period|billing|service|coverage|tariff|"
    r"effective|supply|registration|tenancy|session|ride|trip|rental|hire|stay|visit)*"
    r"(?:start|begin|since|from|begins|"
    r"started|joined|join)(?:date|month|week|day|year|at|time|ed)?",
    r"(?:vertrags)?beginn|ingangsdatum|begindatum|startdatum|debut|datedebut|fechainicio|inicio|datainicio|"
    r"inizio|datainizio|(?:gultig)?(?:von|ab|seit)|(?:geldig)?(?:van|vanaf|sinds)|du|depuis|desde|dal|de",
)
END = (
    r"(?:contract|policy|subscription|spell|valid|membership|plan|account|period|billing|service|coverage|tariff|"
    r"effective|supply|registration|tenancy|session|ride|trip|rental|hire|stay|visit)*"
    r"(?:end|until|till|to|stop|ended|left|"
    r"churn|ends|thru|through)(?:date|month|week|day|year|at|time|ed)?",
    r"(?:vertrags)?ende|einddatum|enddatum|fin|datefin|fechafin|fim|datafim|fine|datafine|(?:gultig)?bis|"
    r"(?:geldig)?(?:tot|totenmet|tm)|au|jusquau?|hasta|ate|al|a",
)
