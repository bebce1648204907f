"""./manage.py tuning_key create NAME | list | revoke NAME: who may call the server."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tuning_server_app import services
from tuning_server_app.models import ApiKey, Organization

DEFAULT_ORGANIZATION = "default"


class Command(BaseCommand):
    help = "Make, list and revoke the keys that open the built-in tuning server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="show every key; never the secret itself")
        for verb, what in (
            ("create", "make a key and print it, this once"),
            ("revoke", "make a key useless, for good"),
        ):
            one = verbs.add_parser(verb, help=what)
            one.add_argument("name", metavar="NAME")
            one.add_argument(
                "--organization",
                metavar="ORG",
                default=DEFAULT_ORGANIZATION,
                help="whose files, jobs and models it opens: a team's short name",
            )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        try:
            match verb:
                case "create":
                    self._create(options["name"], options["organization"])
                case "revoke":
                    self._revoke(options["name"], options["organization"])
                case _:
                    self._list()
        except (services.KeyNameTaken, services.KeyUnknown) as error:
            raise CommandError(str(error)) from error

    def _create(self, name: str, organization: str) -> None:
        try:
            Organization._meta.get_field("slug").clean(organization, None)
        except ValidationError as error:
            raise CommandError(
                _("“%(slug)s” is no short name: up to 50 letters, digits, - and _.")
                % {"slug": organization}
            ) from error
        secret = services.create_key(name, organization)
        # Alone on stdout, so that a script can take it; the rest goes beside it.
        self.stdout.write(secret)
        self.stderr.write(
            _("Keep this key: it is shown only now. It belongs to %(organization)s.")
            % {"organization": organization}
        )

    def _revoke(self, name: str, organization: str) -> None:
        services.revoke_key(name, organization)
        self.stdout.write(_("Revoked: %(name)s") % {"name": name})

    def _list(self) -> None:
        for key in ApiKey.objects.select_related("organization").order_by("pk"):
            state = _("revoked") if key.revoked_at else _("valid")
            used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "–"
            self.stdout.write(
                f"{key.organization.slug}  {key.name}  {key.prefix}…  {state}  {used}"
            )
