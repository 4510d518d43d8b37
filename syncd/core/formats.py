"""The formats of ``check: {format: NAME}``, a closed list: what a text must look like, with its check digits.

Each takes the text as it is: no blanks are cut and no case is changed, a ``read:`` does that.
"""

import re
from collections.abc import Callable
from datetime import date, datetime

from syncd.core.native import DATE, MOMENT
from syncd.core.native import FORMATS as FORMS

ISO_3166 = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD
    CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG
    GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR
    KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF
    NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM
    SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE
    YT ZA ZM ZW
"""
ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
    CHW CLF CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
    SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES
    VND VUV WST XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XUA YER ZAR ZMW ZWG
"""
COUNTRIES = frozenset(ISO_3166.split())
CURRENCIES = frozenset(ISO_4217.split())
MOST_OF_A_MAIL = 254
MOST_OF_A_HOST = 253

UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
BIC = re.compile(r"[A-Z]{4}([A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?")
LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,8}"
)
LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
MAIL_NAME = re.compile(r"[^\s@\"(),:;<>\[\]\\.]+(?:\.[^\s@\"(),:;<>\[\]\\.]+)*")
BYTE = re.compile(r"0|[1-9][0-9]{0,2}")


def is_email(text: str) -> bool:
    """Return whether it is an address with a domain of at least two parts; letters of other scripts may be in both."""
    name, _, host = text.rpartition("@")
    parts = host.split(".")
    fits = len(text) <= MOST_OF_A_MAIL and 0 < len(name) <= 64 and MAIL_NAME.fullmatch(name) is not None
    return fits and len(parts) > 1 and not parts[-1].isdigit() and all(map(is_label, parts))


def is_label(text: str) -> bool:
    """Return whether it can stand between the dots of a domain, letters of other scripts too."""
    plain = "".join("a" if char.isalpha() and not char.isascii() else char for char in text[:64])
    return LABEL.fullmatch(plain) is not None


def is_hostname(text: str) -> bool:
    """Return whether it is the name of a host: labels of ASCII letters, digits and inner hyphens."""
    return len(text) <= MOST_OF_A_HOST and all(LABEL.fullmatch(part) for part in text.split("."))


def is_ip(text: str) -> bool:
    """Return whether it is an IPv4 or IPv6 address."""
    if ":" not in text:
        parts = text.split(".", 4)
        return len(parts) == 4 and all(BYTE.fullmatch(part) and int(part) < 256 for part in parts)
    if len(text) > 45 or text.count("::") > 1 or ":::" in text:
        return False
    halves = [half.split(":") if half else [] for half in text.split("::")]
    groups = [group for half in halves for group in half]
    if groups and "." in groups[-1]:
        groups[-1:] = ["0", "0"] if is_ip(groups[-1]) else ["?"]
    good = all(re.fullmatch("[0-9A-Fa-f]{1,4}", group) for group in groups)
    return good and (len(groups) < 8 if len(halves) > 1 else len(groups) == 8)


def is_date(text: str) -> bool:
    """Return whether it is a day of the calendar, 2026-01-31."""
    return DATE.fullmatch(text) is not None and in_calendar(date.fromisoformat, text)


def is_datetime(text: str) -> bool:
    """Return whether it is a moment by RFC 3339, with its offset."""
    found = MOMENT.fullmatch(text) if len(text) < 64 else None
    if found is None or found[4] is None:
        return False
    return in_calendar(datetime.fromisoformat, f"{found[1]}T{found[2]}{found[4].upper()}")


def in_calendar(read: Callable[[str], object], text: str) -> bool:
    """Return whether a day or moment can be read."""
    try:
        read(text)
    except ValueError:
        return False
    return True


def is_gtin(*sizes: int) -> Callable[[str], bool]:
    """Return the test of an article number of one of these lengths whose last digit is right."""

    def test(text: str) -> bool:
        if len(text) not in sizes or not (text.isascii() and text.isdigit()):
            return False
        weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(text)))
        return weighed % 10 == 0

    return test


def is_iban(text: str) -> bool:
    """Return whether it is an account number, without blanks, whose check digits are right."""
    if not IBAN.fullmatch(text) or text[:2] not in COUNTRIES | {"XK"}:
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def is_bic(text: str) -> bool:
    """Return whether it is the code of a bank, in a country that there is."""
    found = BIC.fullmatch(text)
    return found is not None and found[1] in COUNTRIES | {"XK"}


TESTS: dict[str, Callable[[str], bool]] = {
    "email": is_email,
    "url": lambda text: FORMS["url"].fullmatch(text) is not None,
    "phone": lambda text: FORMS["phone"].fullmatch(text) is not None,
    "date": is_date,
    "datetime": is_datetime,
    "uuid": lambda text: UUID.fullmatch(text) is not None,
    "ean": is_gtin(8, 13),
    "gtin": is_gtin(8, 12, 13, 14),
    "iban": is_iban,
    "bic": is_bic,
    "country": COUNTRIES.__contains__,
    "currency": CURRENCIES.__contains__,
    "language": lambda text: LANGUAGE.fullmatch(text) is not None,
    "hostname": is_hostname,
    "ip": is_ip,
}
NAMES = tuple(TESTS)
