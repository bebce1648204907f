"""Who works here: users, teams and roles. Everything else belongs to a team."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    """What a member may do. Each role includes all those above it in this table.

    ========  ===========================================================
    viewer    see datasets, versions, jobs and models; ask models
    curator   + import, add, edit and tag examples
    reviewer  + approve and reject examples; freeze versions
    launcher  + launch and cancel jobs
    owner     + providers, members, and deleting what the team has
    ========  ===========================================================
    """

    VIEWER = "viewer", _("viewer")
    CURATOR = "curator", _("curator")
    REVIEWER = "reviewer", _("reviewer")
    LAUNCHER = "launcher", _("launcher")
    OWNER = "owner", _("owner")

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def includes(self, other: "Role") -> bool:
        return self.rank >= other.rank

    @classmethod
    def at_least(cls, role: "Role") -> list["Role"]:
        return [each for each in cls if each.includes(role)]


class User(AbstractUser):
    """A person. Superusers see every team; everybody else, the teams they are in."""

    language = models.CharField(
        _("language of e-mails"),
        max_length=10,
        choices=settings.LANGUAGES,
        default=settings.LANGUAGE_CODE,
    )
    # Set on the object that came by an API token, with the token's name; see audit.
    acting_token: str


class TeamScopedQuerySet(models.QuerySet[Any]):
    """Rows that belong to a team; the model names the way there in TEAM_PATH."""

    def visible_to(self, user: Any, role: Role = Role.VIEWER) -> Self:
        """The rows of the teams in which `user` has at least `role`."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        teams = Membership.objects.filter(user=user, role__in=Role.at_least(role))
        team_path = self.model.TEAM_PATH
        return self.filter(**{f"{team_path}__in": teams.values("team")})


def _limit(label: Any, help_text: Any) -> Any:
    return models.DecimalField(
        label,
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=help_text,
    )


class TeamQuerySet(TeamScopedQuerySet):
    def owned_only_by(self, users: list[User]) -> Self:
        """The teams that would have no owner without these users."""
        owners = Membership.objects.filter(role=Role.OWNER)
        others = owners.exclude(user__in=users).values("team")
        owned = self.filter(pk__in=owners.values("team"))
        return owned.exclude(pk__in=others)


class Team(models.Model):
    """A group of people and all that they own here."""

    TEAM_PATH = "pk"

    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("short name"), max_length=50, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    members = models.ManyToManyField(
        User, through="Membership", related_name="teams", verbose_name=_("members")
    )
    four_eyes = models.BooleanField(
        _("four eyes"),
        default=False,
        help_text=_("Nobody approves a row that they changed last."),
    )
    approved_only = models.BooleanField(
        _("only approved rows are trained on"),
        default=False,
        help_text=_(
            "A version takes approved rows only. Otherwise it takes every valid row "
            "that is not rejected."
        ),
    )

    launch_limit_usd = _limit(
        _("most that one launch may cost, in USD"),
        _("By the estimate. Empty: no limit."),
    )
    month_limit_usd = _limit(
        _("most that all launches of a month may cost, in USD"),
        _("Spent and committed money together. Empty: no limit."),
    )
    approve_always = models.BooleanField(
        _("every launch needs a second person"),
        default=False,
        help_text=_("Another launcher approves it before anything runs."),
    )
    approve_above_limit = models.BooleanField(
        _("a launch above a limit needs a second person"),
        default=False,
        help_text=_("Otherwise a launch above a limit is refused."),
    )
    approve_unapproved_rows = models.BooleanField(
        _("a launch on rows that nobody approved needs a second person"),
        default=False,
        help_text=_("Rows that were not approved when the version was frozen."),
    )

    objects = TeamQuerySet.as_manager()

    class Meta:
        verbose_name = _("team")
        verbose_name_plural = _("teams")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def has_limit(self) -> bool:
        return self.launch_limit_usd is not None or self.month_limit_usd is not None

    def clean(self) -> None:
        if self.approve_above_limit and not self.has_limit:
            raise ValidationError(
                {
                    "approve_above_limit": _(
                        "No limit is set, so no launch is above one. Set a limit too."
                    )
                }
            )


class Membership(models.Model):
    """One user's role in one team."""

    TEAM_PATH = "team"

    team = models.ForeignKey(Team, on_delete=models.CASCADE, verbose_name=_("team"))
    user = models.ForeignKey(User, on_delete=models.CASCADE, verbose_name=_("user"))
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.VIEWER)

    objects = TeamScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.UniqueConstraint(fields=("team", "user"), name="one_role_per_team"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}, {self.team}"


class ApiToken(models.Model):
    """A bearer token for the REST API. Only its hash is kept; see services."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(max_length=12)  # enough to recognise it by
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
