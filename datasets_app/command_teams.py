"""Commands work in the default team, or in the one that `--team` names."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from datasets_app.models import Dataset
from teams_app.access import DEFAULT_TEAM_SLUG, default_team
from teams_app.models import Team


def add_team_argument(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--team",
        default=DEFAULT_TEAM_SLUG,
        metavar="SLUG",
        help="short name of the team (default: %(default)s)",
    )


def find_team(slug: str) -> Team:
    if slug == DEFAULT_TEAM_SLUG:
        return default_team()
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        known = ", ".join(Team.objects.values_list("slug", flat=True))
        raise CommandError(f"There is no team “{slug}”. There are: {known or 'none'}.")
    return team


def find_dataset(team: Team, name: str) -> Dataset:
    dataset = Dataset.objects.filter(team=team, name=name).first()
    if dataset is None:
        names = Dataset.objects.filter(team=team).values_list("name", flat=True)
        known = ", ".join(f"“{each}”" for each in names[:20]) or "none"
        raise CommandError(
            f"The team “{team}” has no dataset “{name}”. It has: {known}. "
            "`./manage.py import_jsonl DATASET FILE` makes one."
        )
    return dataset
