"""Words of names of columns in other scripts and languages, as the English words that `vocabulary` knows."""

import re
import unicodedata


def _pairs(*lines: str) -> dict[str, str]:
    """word -> English, of lines such as "customer клиент покупател"."""
    return {plain(word): line.split()[0] for line in lines for word in line.split()[1:]}


def plain(text: str) -> str:
    """Without accents and capitals, in any script."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.replace("№", " nr ")) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", bare).casefold().replace("ł", "l")


STEMS = _pairs(  # Russian, Ukrainian, Bulgarian, Greek, Hebrew, Arabic: words begin so
    "customer клиент клієнт покупател покупец купувач пользовател користувач абонент домохозяйств",
    "customer πελατ לקוח عميل العميل",
    "card карт κάρτα כרטיס",
    "code код κωδικ",
    "nr номер αριθμ מספר رقم",
    "date дат ημερομην תאריך تاريخ",
    "time врем час ωρα שעה",
    "week недел тижд εβδομαδ",
    "month месяц місяц μηνας חודש شهر",
    "year год рік годин ετος",
    "purchase покупк купівл купл αγορ קני רכיש شراء الشراء",
    "order заказ замовлен поръчк παραγγελ הזמנ طلب الطلب",
    "receipt чек касов αποδειξ",
    "sale продаж πωλησ",
    "transaction транзакц операц συναλλαγ",
    "brand бренд марк μαρκ מותג ماركة العلامة",
    "product товар продукт προιον מוצר منتج المنتج",
    "name наименован назван назв ονομα שם اسم",
    "store магазин καταστημα חנות",
    "provider поставщик оператор провайдер постачальник παροχ",
    "bank банк τραπεζα בנק",
    "quantity количеств кол кільк ποσοτητ כמות كمية الكمية",
    "price цен цін стоимост варт τιμ מחיר سعر السعر",
    "amount сумм сум αξι ποσο סכום مبلغ المبلغ",
    "status статус κατασταση סטטוס حالة",
)
PIECES = _pairs(  # Chinese, Japanese, Korean: words are not apart
    "customer 客户 客戶 顾客 顧客 고객",
    "user 用户 用戶 使用者 买家 買家 ユーザー 사용자",
    "member 会员 會員 会員 회원",
    "card 卡 カード 카드",
    "no 号 號 编号 編號 番号 번호",
    "code 编码 代码 コード 코드",
    "purchase 购买 購買 消费 消費 购物 購入 お買上 구매",
    "order 下单 订单 訂單 注文 オーダー 주문",
    "transaction 交易 取引 거래",
    "receipt 小票 レシート 영수증",
    "date 日期 日付 日 年月日 일자 날짜 일",
    "time 时间 時間 日時 日时 時刻 일시 시간",
    "brand 品牌 ブランド 銘柄 브랜드",
    "created 创建 建立 作成",
    "title 标题 標題",
    "total 总 總",
    "product 宝贝 商品 产品 產品 製品 상품 제품",
    "name 名称 名稱 名 명",
    "store 门店 門店 店舗 店铺 매장",
    "quantity 数量 數量 個数 件数 件數 点数 수량",
    "paid 支付 实付",
    "amount 金额 金額 总额 合計 금액",
    "unitprice 单价 單價 単価 단가",
    "price 价格 價格 価格 가격",
    "status 状态 狀態 ステータス 状況 상태",
)
WORDS = _pairs(  # of languages in Latin letters, others than in `vocabulary`, and of SAP
    "customer zakaznika zakaznik vevo vasarlo pelanggan",
    "customercode vevokod",
    "card karty karta",
    "nr numer cislo szam szama numar nomor",
    "name nazwa nazev megnevezes nume nama",
    "purchase nakup nakupu vasarlas vasarlasi achizitie achizitiei cumparare cumpararii pembelian",
    "order objednavka objednavky rendeles comanda comenzii pesanan",
    "receipt paragon paragonu uctenka uctenky nyugta",
    "date datuma tanggal",
    "brand markaneve merek",
    "product produktu termek produs produk",
    "quantity jumlah sztuk",
    "price cena cene pret pretul harga",
    "customer kunnr kunag",
    "orderno vbeln aubel",
    "date fkdat erdat audat",
    "productno matnr",
    "productname arktx maktx",
    "quantity fkimg kwmeng",
    "amount netwr",
    "amount kwota wartosc castka osszeg suma",
)
SILENT = {plain(w) for w in ["во", "по", "за", "от", "и", "της", "του", "των", "την", "の", "的", "של"]}
LAST = {"date", "time", "nr", "no", "code", "name", "status", "price", "quantity"}  # comes last in English
MOST_ENDING = 5  # letters of a word after its stem


def translated(name: str) -> str:
    """A name in English words where all of its words in another script are known; else as it is.

    >>> translated("Дата покупки"), translated("会员号"), translated("Číslo zákazníka"), translated("Дата рождения")
    ('purchase date', 'member no', 'customer nr', 'Дата рождения')
    """
    tokens = re.findall(r"[a-z0-9]+|[^\W\da-z_]+", plain(name))
    found: list[str] = []
    for token in tokens:
        if token in WORDS or token.isascii():
            found.append(WORDS.get(token, token))
        elif token not in SILENT:
            pieces = _segments(token) if ord(token[0]) >= 0x2E80 else _stem(token)
            if not pieces:
                return name
            found += pieces
    if found == tokens:
        return name
    return " ".join([*found[1:], found[0]] if len(found) == 2 and found[0] in LAST else found)


def _stem(token: str) -> list[str]:
    hits = [s for s in STEMS if token.startswith(s) and len(token) - len(s) <= MOST_ENDING]
    return [STEMS[max(hits, key=len)]] if hits else []


def _segments(token: str) -> list[str]:
    """The words of a text without blanks, the longest first; none if a part of it is not known."""
    found, at = [], 0
    while at < len(token):
        piece = next((token[at : at + n] for n in range(4, 0, -1) if token[at : at + n] in _KNOWN), "")
        if not piece:
            return []
        found += [PIECES[piece]] if piece in PIECES else []
        at += len(piece)
    return found


_KNOWN = SILENT | set(PIECES)
