"""The words and links of findings, in templates."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.http import urlencode

from datasets_app import finding_texts, mend_texts
from datasets_app.checks.mends import MENDS_OF
from datasets_app.checks.patterns import masked
from datasets_app.models import Dataset, Finding
from datasets_app.problem_texts import where
from datasets_app.services.checks import report_of

register = template.Library()
register.filter("in_general", finding_texts.in_general)
register.filter("why_it_matters", finding_texts.why_it_matters)
register.filter("how_to_mend", finding_texts.how_to_mend)
register.filter("masked", masked)


@register.filter
def what_is_wrong(finding: Finding) -> str:
    return finding_texts.what_is_wrong(finding.code, finding.params)


@register.filter
def where_it_is(finding: Finding) -> str:
    return where(finding.message_index)


@register.filter
def mends_of_row(code: str) -> list[tuple[str, str]]:
    """(name, words of the button) of each mend that the finding has."""
    return [(name, str(mend_texts.TEXTS[name][0])) for name in MENDS_OF.get(code, ())]


@register.filter
def mends_of_all(code: str) -> list[tuple[str, str]]:
    return [(name, str(mend_texts.TEXTS[name][1])) for name in MENDS_OF.get(code, ())]


@register.simple_tag
def rows_with(dataset: Dataset, code: str) -> str:
    """The address of the list of these rows."""
    query = urlencode({"dataset": str(dataset.pk), "finding": code})
    return f"{reverse('admin:datasets_app_example_changelist')}?{query}"


@register.inclusion_tag("datasets_app/_open_findings.html")
def open_findings(dataset: Dataset) -> dict[str, Any]:
    """What the last check found, in a line: before freezing, before a launch."""
    return {"dataset": dataset, "report": report_of(dataset)}
