"""What went wrong at a provider, and what to do about it, in whole sentences.

Providers name an error by a code, by a phrase in their message, or by the HTTP status
alone; each leads to a reason, and each reason has two sentences: what happened, with
the provider's own words, and what a person can do next.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Sentence:
    """`happened` takes %(provider)s, %(status)s and %(words)s, `advice` nothing."""

    happened: Promise
    advice: Promise


TRY_AGAIN = _("Jobs try again by themselves; with anything else, try again in a while.")
OTHER_PROVIDER = _(
    "Launch the same version on another provider, such as the built-in tuning server."
)
NEW_KEY = _("An owner of the team can enter another key in the admin under Providers.")
MEND_ROWS = _(
    "Open the dataset, mend the rows that the message names, freeze a new version and "
    "launch it."
)
OTHER_MODEL = _(
    "Launch again with a base model that this provider can tune; the form suggests "
    "them."
)
BASE_URL = _("Check the provider's base URL in the admin under Providers.")

SENTENCES = {
    "training_not_available": Sentence(
        _(
            "%(provider)s no longer lets this organisation train models (%(words)s). "
            "Models that are trained already still answer."
        ),
        OTHER_PROVIDER,
    ),
    "quota": Sentence(
        _(
            "%(provider)s refuses because the account's credit or quota is used up "
            "(%(words)s)."
        ),
        _("Raise it in the provider's billing settings, then launch again."),
    ),
    "too_many_jobs": Sentence(
        _(
            "%(provider)s has as many jobs of this account as it takes at a time "
            "(%(words)s)."
        ),
        _("This one is tried again by itself; cancel another to make room for it."),
    ),
    "too_many_requests": Sentence(
        _("%(provider)s could not answer: too many requests (%(words)s)."), TRY_AGAIN
    ),
    "overloaded": Sentence(
        _("%(provider)s could not answer (%(status)s: %(words)s)."), TRY_AGAIN
    ),
    "bad_key": Sentence(
        _("%(provider)s does not accept the API key (%(words)s)."), NEW_KEY
    ),
    "unverified": Sentence(
        _("%(provider)s wants the organisation verified first (%(words)s)."),
        _(
            "Whoever owns the account can verify it in the provider's organisation "
            "settings; then launch again."
        ),
    ),
    "region": Sentence(
        _("%(provider)s does not serve this country or region (%(words)s)."),
        OTHER_PROVIDER,
    ),
    "not_allowed": Sentence(
        _("%(provider)s does not allow this (%(words)s)."),
        _("Check what the key may do, or choose another provider."),
    ),
    "model_not_found": Sentence(
        _("%(provider)s does not know the model, or not for this key (%(words)s)."),
        OTHER_MODEL,
    ),
    "model_not_tunable": Sentence(
        _("%(provider)s cannot tune this model (%(words)s)."),
        _(
            "Launch again with a base model that this provider can tune. At Azure, the "
            "provider's extra fields must also name a trainingType that the region has."
        ),
    ),
    "not_deployed": Sentence(
        _("%(provider)s has no deployment of this name (%(words)s)."),
        _("Deploy the model there first; the job's page says how."),
    ),
    "not_found": Sentence(
        _("%(provider)s does not know what was asked for (%(words)s)."),
        _("It may have been deleted there, or the base URL in the admin is wrong."),
    ),
    "conflict": Sentence(
        _("%(provider)s says that this does not fit its state (%(words)s)."),
        _("The job's page shows how it stands."),
    ),
    "too_few_rows": Sentence(
        _("%(provider)s wants more rows to train on (%(words)s)."),
        _(
            "Add examples until the training part has at least 10 rows, freeze a new "
            "version and launch it."
        ),
    ),
    "bad_file": Sentence(
        _("%(provider)s cannot use the training file (%(words)s)."), MEND_ROWS
    ),
    "too_large": Sentence(
        _("%(provider)s takes no file or request of this size (%(words)s)."),
        _("Freeze a smaller version, or choose a provider with higher limits."),
    ),
    "too_long": Sentence(
        _("%(provider)s says that the text is too long for the model (%(words)s)."),
        _("Ask with a shorter text."),
    ),
    "content": Sentence(
        _("%(provider)s holds the content to be against its rules (%(words)s)."),
        _(
            "Look for what its usage policy forbids, change or remove those rows or "
            "words, and try again."
        ),
    ),
    "unknown_field": Sentence(
        _("%(provider)s does not know a field of the request (%(words)s)."),
        _(
            "Run the provider's compatibility check in the admin; the forms then leave "
            "out what it does not know."
        ),
    ),
    "redirect": Sentence(
        _(
            "%(provider)s answers with a redirect, which is not followed, so that the "
            "key goes nowhere else."
        ),
        BASE_URL,
    ),
    "refused": Sentence(
        _("%(provider)s refuses (%(status)s: %(words)s)."),
        _("When the cause is mended, launch the same again."),
    ),
    "no_sense": Sentence(
        _("%(provider)s gave an answer that makes no sense."), BASE_URL
    ),
    "no_answer": Sentence(_("%(provider)s did not answer in time."), TRY_AGAIN),
    "server_error": Sentence(
        _("%(provider)s had a fault of its own (%(words)s)."),
        _("The fault was the provider's. Launch the same again."),
    ),
    "file_missing": Sentence(
        _("The frozen file is missing."),
        _("Restore it from a backup, or freeze the dataset again and launch that."),
    ),
}

# Their code, in lower case → our reason.
CODES = {
    "training_not_available": "training_not_available",
    "insufficient_quota": "quota",
    "billing_hard_limit_reached": "quota",
    "billing_not_active": "quota",
    "account_deactivated": "bad_key",
    "quotaexceeded": "quota",
    "exceeded_quota": "quota",
    "too_many_jobs": "too_many_jobs",
    "concurrent_jobs_limit_exceeded": "too_many_jobs",
    "rate_limit_exceeded": "too_many_requests",
    "invalid_api_key": "bad_key",
    "incorrect_api_key": "bad_key",
    "organization_must_be_verified": "unverified",
    "unsupported_country_region_territory": "region",
    "model_not_found": "model_not_found",
    "model_not_available": "model_not_tunable",
    "deploymentnotfound": "not_deployed",
    "invalid_n_examples": "too_few_rows",
    "invalid_training_file": "bad_file",
    "invalid_validation_file": "bad_file",
    "invalid_file_format": "bad_file",
    "invalid_file": "bad_file",
    "context_length_exceeded": "too_long",
    "content_filter": "content",
    "content_policy_violation": "content",
    "moderation_failed": "content",
    "unknown_parameter": "unknown_field",
    "unsupported_parameter": "unknown_field",
    "server_error": "server_error",
    "job_not_found": "not_found",
    "file_missing": "file_missing",
}
# A piece of their message, in lower case → our reason: for what comes without a code.
PHRASES = {
    "must be verified": "unverified",
    "does not support fine-tuning": "model_not_tunable",
    "cannot be fine-tuned": "model_not_tunable",
    "too many concurrent": "too_many_jobs",
    "maximum number of active jobs": "too_many_jobs",
    "exceeded your current quota": "quota",
    "usage policies": "content",
    "extra inputs are not permitted": "unknown_field",
}
STATUSES = {
    401: "bad_key",
    403: "not_allowed",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    429: "too_many_requests",
}
# Waiting changes nothing about this, or all about this, whatever the status.
NEVER_WORTH_RETRYING = {"quota"}
ALWAYS_WORTH_RETRYING = {"too_many_jobs", "too_many_requests"}


def reason_of(status: int, code: str, words: str = "") -> str:
    """Our reason for a provider's error; the most telling of its three signs."""
    if 300 <= status < 400:
        return "redirect"
    if status >= 500 and status != 501:
        return "overloaded"
    if found := CODES.get(code.lower()):
        return found
    if found := next((PHRASES[p] for p in PHRASES if p in words.lower()), None):
        return found
    return STATUSES.get(status, "refused")


def advice_for(code: str) -> str:
    """What to do about an error that a job keeps: by their code, or by our reason."""
    reason = CODES.get(code.lower(), code)
    return str(SENTENCES.get(reason, SENTENCES["refused"]).advice)
