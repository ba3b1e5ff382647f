"""Values in templates cannot become markup, whatever a template's file is called."""

from __future__ import annotations

import pytest
from jinja2 import DictLoader, UndefinedError

from passerelle.kit.templating import environment


@pytest.mark.parametrize(
    ("name", "shown"), [("page.html", "&lt;b&gt;"), ("page.jinja", "&lt;b&gt;"), ("mail.txt", "<b>")]
)
def test_values_are_escaped_but_in_plain_text(name: str, shown: str) -> None:
    assert environment(DictLoader({name: "{{ value }}"})).get_template(name).render(value="<b>") == shown


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        environment(DictLoader({"page.html": "{{ nothing }}"})).get_template("page.html").render()
