"""./manage.py tuning_webhook add URL | list | remove NAME: who hears how jobs end."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tuning_server_app.models import Organization, Webhook
from tuning_server_app.services import webhooks

DEFAULT_ORGANIZATION = "default"


class Command(BaseCommand):
    help = "Register, list and remove addresses that hear how tuning jobs end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="show every webhook; never its secret")
        add = verbs.add_parser("add", help="register one and print its secret, once")
        add.add_argument("url", metavar="URL")
        add.add_argument("--name", default="webhook", help="to tell it from others")
        remove = verbs.add_parser("remove", help="forget one, and what waits for it")
        remove.add_argument("name", metavar="NAME")
        for verb in (add, remove):
            verb.add_argument(
                "--organization",
                metavar="ORG",
                default=DEFAULT_ORGANIZATION,
                help="whose jobs: a team's short name",
            )

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        match verb:
            case "add":
                self._add(options["url"], options["name"], options["organization"])
            case "remove":
                self._remove(options["name"], options["organization"])
            case _:
                self._list()

    def _add(self, url: str, name: str, slug: str) -> None:
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise CommandError(
                _("There is no organization “%(slug)s”. Its first key makes it.")
                % {"slug": slug}
            )
        webhook = Webhook(organization=organization, name=name, url=url)
        try:
            webhooks.check_url(url)
            webhook.full_clean(exclude=["sealed_secret"])
        except webhooks.RefusedUrl as error:
            raise CommandError(str(error)) from error
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        # Alone on stdout, so that a script can take it; the rest goes beside it.
        self.stdout.write(webhooks.add_webhook(webhook))
        self.stderr.write(_("Keep this secret: it is shown only now."))

    def _remove(self, name: str, slug: str) -> None:
        found = Webhook.objects.filter(name=name, organization__slug=slug)
        if not found.delete()[0]:
            raise CommandError(
                _("There is no webhook named “%(name)s” in %(organization)s.")
                % {"name": name, "organization": slug}
            )
        self.stdout.write(_("Removed: %(name)s") % {"name": name})

    def _list(self) -> None:
        for webhook in Webhook.objects.select_related("organization").order_by("pk"):
            state = webhook.problem or _("on")
            self.stdout.write(
                f"{webhook.organization.slug}  {webhook.name}  {webhook.url}  {state}"
            )
