"""`mrz`: the specimens of ICAO Doc 9303, lines that were changed, and what people type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from passerelle.engine.checks.base import CheckResult
from passerelle.engine.checks.mrz import Mrz
from passerelle.engine.checks.mrz_lines import check_digit

CHECK = Mrz()

PASSPORT = ["P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"]
CARD = ["I<UTOD231458907<<<<<<<<<<<<<<<", "7408122F1204159UTO<<<<<<<<<<<6", "ERIKSSON<<ANNA<MARIA<<<<<<<<<<"]
LONG_NUMBER = ["I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"]
WIDE_CARD = ["I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "D231458907UTO7408122F1204159<<<<<<<6"]


def run(lines: Any = PASSPORT, **inputs: Any) -> CheckResult:
    return CHECK.run({"lines": lines, **inputs})


def codes(result: CheckResult) -> list[str]:
    return [reason.code for reason in result.reasons]


def passport(names: str) -> list[str]:
    """The specimen of somebody else."""
    return [f"P<UTO{names:<<39}", PASSPORT[1]]


def test_a_passport_is_read() -> None:
    result = run()
    assert result.passed
    assert result.data == {
        "format": "TD3",
        "documentCode": "P",
        "issuer": "UTO",
        "surname": "ERIKSSON",
        "givenNames": "ANNA MARIA",
        "documentNumber": "L898902C3",
        "nationality": "UTO",
        "birthDate": "1974-08-12",
        "sex": "F",
        "expiryDate": "2012-04-15",
        "optional": "ZE184226B",
    }


@pytest.mark.parametrize(("lines", "format_"), [(CARD, "TD1"), (WIDE_CARD, "TD2")])
def test_cards_are_read(lines: list[str], format_: str) -> None:
    result = run(lines)
    assert result.passed
    assert (result.data["format"], result.data["documentNumber"]) == (format_, "D23145890")
    assert (result.data["surname"], result.data["givenNames"]) == ("ERIKSSON", "ANNA MARIA")


def test_a_document_number_of_more_than_nine_characters_goes_on_in_the_optional_field() -> None:
    result = run(LONG_NUMBER)
    assert result.passed
    assert result.data["documentNumber"] == "D23145890734"
    assert "optional" not in result.data


@pytest.mark.parametrize(
    "lines",
    [
        "\n".join(PASSPORT),
        "".join(PASSPORT),
        " \n".join(PASSPORT).lower(),
        ["".join(PASSPORT)],
        [PASSPORT[0], " ", PASSPORT[1]],
    ],
)
def test_lines_may_come_in_other_shapes(lines: Any) -> None:
    assert run(lines).passed


@given(st.sampled_from([PASSPORT, CARD, WIDE_CARD]), st.data())
def test_one_changed_character_of_what_is_covered_is_found(lines: list[str], data: st.DataObject) -> None:
    """Of those that count differently: A and K are ten apart, which no check digit of the standard sees."""
    place, line = data.draw(st.integers(0, 6 if lines is CARD else 9)), lines[1]
    new = data.draw(st.sampled_from("0123456789"))
    assume(new != line[place])
    assume(check_digit(new) != check_digit(line[place]))
    changed = [lines[0], line[:place] + new + line[place + 1 :], *lines[2:]]
    assert "CHECKSUM" in codes(run(changed))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("Müller", "MUELLER"),
        ("Müller", "MULLER"),
        ("Strauß", "STRAUSS"),
        ("Ångström", "AANGSTROEM"),
        ("Łącka-Żak", "LACKA<ZAK"),
        ("O’Connor", "OCONNOR"),
        ("Ñuñez", "NUNEZ"),
        ("Иванов", "IVANOV"),
        ("de la Cruz", "DE<LA<CRUZ"),
    ],
)
def test_a_surname_is_compared_as_documents_write_it(typed: str, names: str) -> None:
    assert "NAME_DIFFERS" not in codes(run(passport(f"{names}<<ANNA"), surname=typed))
    assert "NAME_DIFFERS" in codes(run(passport(f"{names}X<<ANNA"), surname=typed))


@pytest.mark.parametrize(
    ("typed", "same"), [("Anna Maria", True), ("anna", True), ("Maria", False), ("Ann", False), ("", False)]
)
def test_later_given_names_may_be_left_out(typed: str, same: bool) -> None:
    assert ("NAME_DIFFERS" not in codes(run(givenNames=typed))) is same


def test_names_that_fill_their_field_may_go_on() -> None:
    cut = passport("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K")
    assert codes(run(cut, surname="Nilavadhanananda", givenNames="Chayapa Dejthamrong Krasuang")) == []


def test_what_was_typed_is_compared_with_the_lines() -> None:
    same = {"surname": "Eriksson", "givenNames": "Anna", "birthDate": "1974-08-12", "documentNumber": "l898902-c3"}
    other = {"surname": "Ericsson", "givenNames": "Eva", "birthDate": "1974-08-13", "documentNumber": "L898902C4"}
    assert run(**same).passed
    assert codes(run(**other)) == ["NAME_DIFFERS", "NAME_DIFFERS", "BIRTH_DATE_DIFFERS", "DOCUMENT_NUMBER_DIFFERS"]


def test_a_document_expires_after_its_last_day() -> None:
    assert run(today="2012-04-15").passed
    assert codes(run(today="2012-04-16")) == ["EXPIRED"]


def test_the_century_of_a_birth_is_the_latest_that_can_be() -> None:
    assert run(LONG_NUMBER, today="2026-11-23").data["birthDate"] == "1934-07-12"
    assert run(LONG_NUMBER, today="2036-11-23").data["birthDate"] == "2034-07-12"


def dated(birth: str, expiry: str = "120415") -> list[str]:
    """The wide card with other dates, and check digits that fit."""
    line = f"D231458907UTO{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}<<<<<<<"
    return [WIDE_CARD[0], line + check_digit(line[:10] + line[13:20] + line[21:35])]


def test_parts_of_a_birth_date_may_be_unknown() -> None:
    assert run(dated("74<<<<"), birthDate="1974-08-12").passed
    assert codes(run(dated("75<<<<"), birthDate="1974-08-12")) == ["BIRTH_DATE_DIFFERS"]
    assert codes(run(dated("<<<<<<"), birthDate="1974-08-12")) == ["BIRTH_DATE_DIFFERS"]


def test_dates_that_are_none_are_found() -> None:
    assert codes(run(dated("741312"))) == ["DATE"]
    assert codes(run(dated("740812", "120431"))) == ["DATE"]


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        (PASSPORT[:1], "invalid", "LENGTH"),
        ([], "invalid", "LENGTH"),
        ("", "invalid", "LENGTH"),
        ([PASSPORT[0][:-1], PASSPORT[1]], "invalid", "LENGTH"),
        ([PASSPORT[0].replace("A", "Ä"), PASSPORT[1]], "invalid", "FORMAT"),
        (["V" + PASSPORT[0][1:], PASSPORT[1]], "unknown", "DOCUMENT_UNKNOWN"),
    ],
)
def test_what_is_not_a_documents_lines_says_why(lines: Any, status: str, code: str) -> None:
    result = run(lines)
    assert (result.status, codes(result)) == (status, [code])


LINE = st.text("ABCXYZ0123456789<", min_size=30, max_size=30)


@given(st.lists(LINE, min_size=3, max_size=3) | st.lists(st.text(max_size=50), max_size=4), st.text(max_size=30))
def test_any_lines_get_a_verdict(lines: list[str], typed: str) -> None:
    result = run(lines, surname=typed, givenNames=typed, documentNumber=typed, birthDate="2000-01-01")
    assert result.passed is (not result.reasons)


@pytest.mark.parametrize(
    ("surname", "given", "names"),
    [
        ("Ткаченко", "Марія", "TKACHENKO<<MARIIA"),
        ("Григоренко", "Євгенія", "HRYHORENKO<<YEVHENIIA"),
        ("Згурський", "Юрій", "ZGHURSKYI<<YURII"),
        ("Шимко", "Їжак", "SHYMKO<<YIZHAK"),
        ("Щерев", "Цветелина", "SHTEREV<<TSVETELINA"),
        ("Хаџић", "Љубица", "HADZIC<<LJUBICA"),
        ("Жеравчић", "Ђорђе", "ZERAVCIC<<DJORDJE"),
        ("Ѓорѓиевски", "Ќиро", "GJORGJIEVSKI<<KJIRO"),
        ("Лукашэнка", "Ганна", "LUKASHENKA<<HANNA"),
        ("Щербаков", "Дмитрий", "SHCHERBAKOV<<DMITRII"),
        ("Щербаков", "Дмитрий", "SHCHERBAKOV<<DMITRY"),
        ("Ёлкина", "Юлия", "ELKINA<<IULIIA"),
        ("Παπαδόπουλος", "Γεώργιος", "PAPADOPOULOS<<GEORGIOS"),
        ("Ευαγγέλου", "Ευαγγελία", "EVANGELOU<<EVANGELIA"),
        ("Μπακάλης", "Ιωάννης", "BAKALIS<<IOANNIS"),
        ("Núñez", "Íñigo", "NUNXXEZ<<INXXIGO"),
        ("Müller-Jörgens", "Jörg", "MUELLER<JORGENS<<JOERG"),
        ("Süß", "Zoë", "SUXXSS<<ZOE"),
        ("Yılmaz", "Işıl", "YILMAZ<<ISIL"),
        ("Guðmundsdóttir", "Þóra", "GUDMUNDSDOTTIR<<THORA"),
        ("Nguyễn", "Văn Đức", "NGUYEN<<VAN<DUC"),
        ("Zoe\u0308ga", "E\u0301va", "ZOEGA<<EVA"),
        ("Bjørk", "Åse", "BJOERK<<AASE"),
    ],
)
def test_a_name_is_the_same_in_its_own_alphabet(surname: str, given: str, names: str) -> None:
    assert run(passport(names), surname=surname, givenNames=given).passed
    other = run(passport(names), surname=f"{surname}б", givenNames=given)
    assert (other.status, codes(other)) == ("invalid", ["NAME_DIFFERS"])


@pytest.mark.parametrize("typed", ["王小明", "محمد", "ანა", "שרה", "Иван王"])
def test_a_script_that_cannot_be_compared_is_not_known_to_differ(typed: str) -> None:
    result = run(passport("ERIKSSON<<ANNA"), surname=typed)
    assert (result.status, codes(result)) == ("unknown", ["SCRIPT_NOT_COMPARED"])
    assert run([PASSPORT[0], PASSPORT[1][:-1] + "9"], surname=typed).status == "invalid"


@given(st.text(max_size=40), st.text(st.sampled_from("ABEIXU<"), max_size=12))
def test_no_name_breaks_the_comparison(typed: str, names: str) -> None:
    assert run(passport(f"{names}<<"), surname=typed).status in ("valid", "invalid", "unknown")


def test_a_long_name_is_compared_at_once() -> None:
    """However many ways there are to write it: 200 letters with three each are not tried one by one."""
    assert "NAME_DIFFERS" in codes(run(passport("UUUUUUUUUUUUUUUUUUUUUUUUUUUUU<<X"), surname="ü" * 200))


def test_the_typed_date_of_birth_decides_the_century() -> None:
    result = run(dated("240115", "300101"), birthDate="1924-01-15", today="2026-11-29")
    assert (result.passed, result.data["birthDate"]) == (True, "1924-01-15")
    assert run(dated("240115", "300101"), today="2026-11-29").data["birthDate"] == "2024-01-15"


@pytest.mark.parametrize(
    "lines",
    [
        ["IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"],
        ["D1NLD15094962111659VOBCDGHK12R"],
        ["I<XXX" + "<" * 35, "<" * 40],
    ],
)
def test_a_layout_of_its_own_is_not_known_to_be_wrong(lines: list[str]) -> None:
    result = run(lines)
    assert (result.status, codes(result)) == ("unknown", ["DOCUMENT_UNKNOWN"])
