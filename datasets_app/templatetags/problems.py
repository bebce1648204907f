"""The words for a problem of an import, in templates."""

from django import template

from datasets_app import problem_texts
from datasets_app.models import ImportProblem

register = template.Library()


@register.filter
def what_is_wrong(problem: ImportProblem) -> str:
    return problem_texts.what_is_wrong(problem.code, problem.params)


@register.filter
def how_to_mend(problem: ImportProblem) -> str:
    return problem_texts.how_to_mend(problem.code)
