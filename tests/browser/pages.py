"""Every page that must be usable by all; a new page adds its line here."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

from django.urls import reverse
from django.utils.timezone import now

from datasets_app.models import (
    BaseModel,
    BulkEdit,
    BulkKind,
    Dataset,
    DatasetVersion,
    Example,
    FreezeRun,
    ImportRun,
    Method,
    ReviewState,
    Split,
)
from datasets_app.services import (
    bulk_edits,
    choose_base_model,
    comment_on,
    decide,
    freeze,
    run_freeze,
    run_import,
    save_example,
    start_freeze,
    start_import,
    store_upload,
)
from datasets_app.services.bulk_edits import start_edit
from datasets_app.services.checks import (
    request_check,
    run_check,
    run_edit,
    start_mend,
)
from datasets_app.services.import_undo import undo_import
from datasets_app.services.saved_filters import save_filter
from datasets_app.services.selection import Selection
from guarded_calls.signing import new_secret
from jobs_app import services as jobs
from jobs_app.models import (
    EventType,
    FineTuningJob,
    Heartbeat,
    JobStatus,
    LeftoverFile,
    LeftoverReason,
    Provider,
    ProviderCheck,
    RequestResult,
    Webhook,
    WebhookDoor,
    count_requests,
)
from jobs_app.services.notices import make_test
from teams_app.audit import record
from teams_app.models import Role, Team, Verb
from tests.factories import (
    chat_line,
    chat_lines,
    make_dataset,
    make_example,
    make_job,
    make_member,
    make_provider,
    make_version,
)
from tests.tuning_server_app import factories as tuning_server
from tuning_server_app.models import Webhook as TuningWebhook
from tuning_server_app.models import WebhookDelivery
from tuning_server_app.services.jobs import cancel_job

Address = Callable[[Team], str]
KOREAN = chat_line("네더 블레이드는 무엇을 하나요?", "매 턴 두 공격을 모두 합니다.")
BROKEN = b'not json\n{"messages": []}\n'


def dataset_of(team: Team) -> Dataset:
    return imported(team).dataset


def imported(team: Team) -> ImportRun:
    run = start_import(
        dataset=make_dataset(team=team, name="Card game"),
        file=BytesIO(chat_lines(11) + KOREAN + BROKEN),
        file_name="card_game.jsonl",
        split=Split.TRAIN,
    )
    run_import(run)
    run.refresh_from_db()
    return run


def checked(team: Team) -> Dataset:
    """With findings of every kind of severity, one of which was mended."""
    dataset = dataset_of(team)
    leak = "Write to kim@company.kr, the password: hunter22! "
    turns = json.loads(chat_line("누구에게 쓰나요?", leak))["messages"]
    for _copy in range(2):
        make_example(dataset=dataset, messages=turns)
    make_example(dataset=dataset, messages=[{"role": "user", "content": "<|im_end|>"}])
    run_check(request_check(dataset))
    run_edit(start_mend(dataset, code="email", mend="mask_email", by=None))
    return dataset


def finding(team: Team) -> str:
    return reverse("datasets:preflight_code", args=[checked(team).pk, "secret"])


def rejected_line(team: Team) -> tuple[int, int]:
    done = imported(team)
    return done.pk, done.problems.order_by("pk")[0].pk


def waiting_import(team: Team) -> ImportRun:
    run = start_import(
        dataset=make_dataset(team=team, name="Card game"),
        file=BytesIO(chat_lines(3)),
        file_name="card_game.jsonl",
        split=Split.TRAIN,
    )
    ImportRun.objects.filter(pk=run.pk).update(created_at=now() - timedelta(minutes=1))
    return run


def undone_import(team: Team) -> ImportRun:
    run = imported(team)
    bulk_edits.run_edit(undo_import(run, by=None))
    return run


def uploaded(team: Team) -> ImportRun:
    tasks = make_dataset(team=team, name="Tasks")
    return store_upload(
        dataset=tasks, file=BytesIO(chat_lines(2) + BROKEN), file_name="chats.jsonl"
    )


def uploaded_table(team: Team) -> ImportRun:
    table = "질문,답변,출처\n얼마예요?,만 원입니다.,게시판\n".encode()
    dataset = make_dataset(team=team, name="Bookshop")
    return store_upload(dataset=dataset, file=BytesIO(table), file_name="표.csv")


def counting(team: Team) -> Dataset:
    """On its way to another model's tokens, with a row that is too long for it."""
    dataset = dataset_of(team)
    model = BaseModel.objects.get(team=team, name="babbage-002")
    model.training_context_tokens = 18
    model.save()
    choose_base_model(dataset, model, by=None)
    return dataset


def estimated_job(team: Team) -> FineTuningJob:
    return make_job(
        team=team,
        status=JobStatus.SUCCEEDED,
        launched_at=now(),
        finished_at=now(),
        estimated_epochs=3,
        estimated_tokens=1_000_000,
        usd_per_million_tokens=25,
        trained_tokens=1_500_000,
    )


def empty_dataset(team: Team) -> Dataset:
    return make_dataset(team=team)


def version(team: Team) -> DatasetVersion:
    return freeze(dataset=dataset_of(team), by=None)


def changed_version(team: Team) -> DatasetVersion:
    """A version that differs from the one before it in every way."""
    dataset = version(team).dataset
    changed, moved, removed, *_same = dataset.examples.all()
    changed.messages = [
        *changed.messages[:-1],
        {"role": "assistant", "content": "Answer 1, in other words."},
    ]
    save_example(changed, by=None)
    Example.objects.filter(pk=moved.pk).update(split=Split.VALIDATION)
    removed.delete()
    return freeze(dataset=dataset, by=None, note="정정")


def version_in_other_formats(team: Team) -> str:
    return reverse("datasets:version_export", args=[version(team).pk, "train"])


def versions_of_dataset(team: Team) -> Dataset:
    return changed_version(team).dataset


def removed_rows(team: Team) -> str:
    url = reverse("datasets:version_diff", args=[changed_version(team).pk])
    return f"{url}?kind=removed"


def waiting_freeze(team: Team) -> FreezeRun:
    return start_freeze(dataset=dataset_of(team), by=None, note="정정")


def failed_freeze(team: Team) -> FreezeRun:
    run = start_freeze(dataset=empty_dataset(team), by=None)
    run_freeze(run)
    return run


def example(team: Team) -> Example | None:
    return dataset_of(team).examples.first()


def calling_example(team: Team) -> Example:
    """A tool that is called, its answer, images of both kinds, a name, a weight."""
    schema = {"properties": {"n": {"type": "integer"}, "side": {"enum": ["a", "b"]}}}
    call = {"name": "hp", "arguments": '{"n": 1, "other": [2]}'}
    urls = ["https://pictures.example/a.png", "data:image/svg+xml;base64,PHN2Zy8+"]
    parts = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
    calls = [{"id": "c1", "type": "function", "function": call}]
    function = {"name": "hp", "parameters": schema}
    return make_example(
        dataset=make_dataset(team=team),
        tools=[{"type": "function", "function": function}],
        extra={"grade": 1},
        messages=[
            {"role": "user", "name": "ann", "content": parts},
            {"role": "assistant", "content": None, "tool_calls": calls},
            {"role": "tool", "tool_call_id": "c1", "content": "20"},
            {"role": "assistant", "content": "20", "weight": 0},
        ],
    )


def preference(team: Team) -> Example:
    return make_example(
        dataset=make_dataset(team=team, method=Method.DPO),
        messages=[{"role": "user", "content": "Hi"}],
        preferred_output=[{"role": "assistant", "content": "Hello!"}],
        non_preferred_output=[{"role": "assistant", "content": "What."}],
    )


def changed_example(team: Team) -> Example | None:
    found = example(team)
    if found is not None:
        found.messages = [*found.messages[:-1], {"role": "assistant", "content": "Ja"}]
        save_example(found, by=None)
    return found


def provider(team: Team) -> Provider:
    return make_provider(team=team)


def webhook_door(team: Team) -> WebhookDoor:
    return WebhookDoor.objects.create(provider=make_provider(team=team), secret="s")


def job_for_later(team: Team) -> FineTuningJob:
    at = now() + timedelta(days=1)
    return make_job(team=team, status=JobStatus.PENDING, scheduled_for=at)


def checked_provider(team: Team) -> Provider:
    """Its check is half way, and it is known to lack something."""
    made = make_provider(team=team, kind="azure", abilities={"seed": False})
    lines = [("models", "works"), ("file", "unclear"), ("uploads", "fails")]
    ProviderCheck.objects.create(
        provider=made,
        base_url=made.base_url,
        base_model="gpt-4.1-2025-04-14",
        n_total=13,
        n_done=len(lines),
        results=[
            {"step": step, "result": result, "words": "No such route.", "found": {}}
            for step, result in lines
        ],
    )
    return made


def deployable_job(team: Team) -> FineTuningJob:
    provider = make_provider(team=team, kind="azure")
    model = "gpt-4.1-2025-04-14.ft-0123456789abcdef0123456789abcdef-card-game"
    return make_job(
        team=team, provider=provider, status=JobStatus.SUCCEEDED, fine_tuned_model=model
    )


def itself(team: Team) -> Team:
    return team


def in_review(team: Team) -> Dataset:
    """A row that was changed since it was approved, with a comment, comes first."""
    dataset = dataset_of(team)
    row = dataset.examples.earliest("position")
    decide(row, state=ReviewState.APPROVED, by=None)
    row.refresh_from_db()
    row.messages = [{"role": "user", "content": "네더?"}, *row.messages[1:]]
    save_example(row, by=None)
    comment_on(row, text="Is this so?", by=None)
    row.refresh_from_db()
    decide(row, state=ReviewState.IN_REVIEW, by=None)
    return dataset


def edited(team: Team) -> BulkEdit:
    edit = start_edit(
        dataset=dataset_of(team), kind=BulkKind.TAG, by=None, params={"name": "hard"}
    )
    run_edit(edit)
    return edit


def with_edits(team: Team) -> Dataset:
    return edited(team).dataset


def with_bin(team: Team) -> Dataset:
    dataset = dataset_of(team)
    run_edit(start_edit(dataset=dataset, kind=BulkKind.DELETE, by=None))
    return dataset


def find_and_replace(team: Team) -> str:
    url = reverse("datasets:edit_new", args=[dataset_of(team).pk])
    return f"{url}?kind=replace&scope=all"


def running_job(team: Team) -> FineTuningJob:
    job = make_job(team=team, status=JobStatus.RUNNING, launched_at=now(), suffix="v1")
    for step in range(1, 9):
        data = {"step": step, "total_steps": 12, "train_loss": 2 / step}
        if step % 4 == 0:
            data["valid_loss"] = 2.5 / step
        job.events.create(type=EventType.METRICS, message=f"Step {step}", data=data)
    return job


def finished_job(team: Team) -> FineTuningJob:
    job = make_job(
        dataset_version=make_version(
            dataset=make_dataset(team=team), validation=chat_lines(2)
        ),
        status=JobStatus.SUCCEEDED,
        fine_tuned_model="ft:base-model:team:v1:a1b2c3",
        launched_at=now(),
        finished_at=now(),
    )
    job.held_out_answers.create(
        line_number=1,
        question="Question 1?",
        expected="Answer 1.",
        base_answer="I do not know.",
        tuned_answer="Answer 1.",
    )
    return job


def failed_job(team: Team) -> FineTuningJob:
    reason = {"code": "invalid_training_file", "message": "Row 3 has no answer."}
    return make_job(team=team, status=JobStatus.FAILED, error=reason, finished_at=now())


def unsure_job(team: Team) -> FineTuningJob:
    """Two of the provider's jobs may be it."""
    seen = {"base_model": "gpt-4.1-mini-2025-04-14", "training_file": "file-abc"}
    candidates = [
        {"id": "ftjob-4n1wuLqQx2Lp8m", "status": "running", "suffix": "", **seen}
        | {"created_at": now().isoformat()},
        {"id": "ftjob-9T0oYcVb3Zr7ka", "status": "", "suffix": "cards", **seen}
        | {"created_at": ""},
    ]
    return make_job(
        team=team,
        status=JobStatus.UNSURE,
        launched_at=now() - timedelta(minutes=12),
        create_sent_at=now() - timedelta(minutes=11),
        sent_training_file="file-abc",
        candidates=candidates,
        poll_problem="Tuner may have the job, but its answer was lost and no launch "
        "key is kept there. What it lists does not tell for certain which job is ours.",
    )


def asked_to_launch_again(team: Team) -> FineTuningJob:
    team.approve_always = True
    team.save()
    job = unsure_job(team)
    jobs.launch_again(job, by=make_member(Role.LAUNCHER, team))
    return job


def draft_for_later(team: Team) -> FineTuningJob:
    return make_job(team=team, scheduled_for=now() + timedelta(days=1))


def leftover(team: Team) -> LeftoverFile:
    return LeftoverFile.objects.create(
        provider=make_provider(team=team),
        remote_id="file-abc",
        name="dataset-v3-train-0123456789abcdef.jsonl",
        n_bytes=123_456,
        reason=LeftoverReason.UNUSED,
        seen_at=now(),
    )


def waiting_launch(team: Team) -> FineTuningJob:
    team.approve_always, team.month_limit_usd = True, Decimal(100)
    team.approve_above_limit = True
    team.save()
    job = make_job(team=team)
    jobs.launch_job(job, by=make_member(Role.LAUNCHER, team))
    return job


def one_launch_waits(team: Team) -> None:
    waiting_launch(team)


def declined_launch(team: Team) -> FineTuningJob:
    job = waiting_launch(team)
    owner = make_member(Role.OWNER, team)
    jobs.decline(job, by=owner, comment="The rows of chapter 3 are missing.")
    return job


def with_webhooks(team: Team) -> Team:
    url = "https://hooks.example.com/services/T0000/B0000/XXXXXXXXXXXXXXXXXXXXXXXX"
    for problem in ("", "The receiver answered with the status 410."):
        hook = Webhook.objects.create(
            team=team, name="#alerts", url=url, secret=new_secret(), problem=problem
        )
        sent = make_test(hook)
        sent.problem, sent.state = problem, "given_up" if problem else "sent"
        sent.save()
    return team


def audited(team: Team) -> None:
    dataset = dataset_of(team)
    record(Verb.CHANGED, dataset, by=None, fields=["name"], name=["Cards", "Chats"])
    dataset.delete()


def job_in_each_state(team: Team) -> None:
    for status in JobStatus:
        make_job(team=team, status=status, launched_at=now())


def provider_asked(team: Team) -> None:
    """And a worker that has not shown itself for a minute."""
    asked = make_provider(team=team)
    count_requests(asked, {RequestResult.OK: 1200, RequestResult.UNREACHABLE: 3})
    Heartbeat.objects.update(beaten_at=now() - timedelta(minutes=1))


def given_up_message(team: Team) -> None:
    """Of the tuning server: one of its jobs ended, and its webhook was gone."""
    tuning_job = tuning_server.make_job()
    tuning_server.make_key(tuning_job.organization)
    hook = tuning_server.make_webhook(
        tuning_job.organization, "https://hooks.example.com/a-rather/long-one"
    )
    cancel_job(tuning_job)
    problem = "The receiver answered with the status 410."
    TuningWebhook.objects.filter(pk=hook.pk).update(problem=problem)
    WebhookDelivery.objects.update(state="given_up", problem=problem)


def page(name: str, row: Callable[[Team], Any] | None = None) -> Address:
    """The page of that URL name; `row` makes what it shows, and its key if it has one.

    A page without arguments takes a `row` that returns None.
    """

    def address(team: Team) -> str:
        made = row(team) if row else None
        if isinstance(made, tuple):  # the keys themselves, where there are several
            return reverse(name, args=made)
        return reverse(name, args=[made.pk] if made else [])

    address.__name__ = f"{name} {row.__name__}" if row else name
    return address


def admin(model: str, row: Callable[[Team], Any] | None = None) -> Address:
    return page(f"admin:{model}_{'change' if row else 'changelist'}", row)


def example_list(query: str, row: Callable[[Team], Dataset]) -> Address:
    """The list of a dataset's examples; `query` goes with its address."""

    def address(team: Team) -> str:
        url = reverse("admin:datasets_app_example_changelist")
        return f"{url}?dataset={row(team).pk}{query}"

    address.__name__ = f"example_list {query} {row.__name__}"
    return address


def kept_filter(team: Team) -> Dataset:
    save_filter(team, name="Drafts", selection=Selection(state="draft"))
    return dataset_of(team)


def two_datasets(team: Team) -> None:
    make_dataset(team=team)
    dataset_of(team)


PAGES = [
    page("home"),
    page("home", job_in_each_state),
    page("account:tokens"),
    page("account:password"),
    page("notifications:mine"),
    page("audit:log", audited),
    page("processes", provider_asked),
    page("teams:detail", with_webhooks),
    page("jobs:waiting", one_launch_waits),
    page("jobs:detail", waiting_launch),
    page("jobs:detail", declined_launch),
    page("datasets:list"),
    page("datasets:new"),
    page("datasets:detail", empty_dataset),
    page("datasets:detail", dataset_of),
    page("datasets:detail", counting),
    page("datasets:import", dataset_of),
    page("datasets:import_preview", uploaded),
    page("datasets:import_preview", uploaded_table),
    page("datasets:import_run", imported),
    page("datasets:import_run", waiting_import),
    page("datasets:import_run", undone_import),
    page("datasets:import_undo", imported),
    page("datasets:import_mend", rejected_line),
    page("datasets:freeze", dataset_of),
    page("datasets:freeze_run", waiting_freeze),
    page("datasets:freeze_run", failed_freeze),
    page("datasets:review", in_review),
    page("datasets:review", empty_dataset),
    page("datasets:edits", empty_dataset),
    page("datasets:edits", with_edits),
    page("datasets:edit", edited),
    find_and_replace,
    page("datasets:bin", empty_dataset),
    page("datasets:bin", with_bin),
    page("datasets:version", version),
    page("datasets:version", changed_version),
    page("datasets:version_diff", changed_version),
    removed_rows,
    page("datasets:version_copy", version),
    page("datasets:versions", empty_dataset),
    page("datasets:versions", versions_of_dataset),
    page("datasets:export", dataset_of),
    page("datasets:export", empty_dataset),
    version_in_other_formats,
    page("datasets:preflight", dataset_of),
    page("datasets:preflight", checked),
    finding,
    page("datasets:balance", dataset_of),
    page("datasets:balance", checked),
    page("datasets:split", dataset_of),
    page("jobs:list"),
    page("jobs:list", job_in_each_state),
    page("jobs:new"),
    page("jobs:detail", running_job),
    page("jobs:detail", finished_job),
    page("jobs:detail", failed_job),
    page("jobs:detail", estimated_job),
    page("jobs:detail", deployable_job),
    page("jobs:detail", unsure_job),
    page("jobs:detail", asked_to_launch_again),
    page("providers:detail", provider),
    page("providers:detail", checked_provider),
    page("admin:index"),
    admin("datasets_app_basemodel"),
    admin("jobs_app_price"),
    page("admin:jobs_app_price_add"),
    admin("teams_app_team"),
    admin("teams_app_team", itself),
    admin("teams_app_user"),
    page("admin:teams_app_user_add"),
    admin("datasets_app_dataset"),
    admin("datasets_app_dataset", dataset_of),
    page("admin:datasets_app_example_changelist", two_datasets),
    example_list("", empty_dataset),
    example_list("&state=draft&sort=-tokens", kept_filter),
    example_list("&q=nothing", dataset_of),
    admin("datasets_app_example", example),
    admin("datasets_app_example", calling_example),
    admin("datasets_app_example", preference),
    page("admin:datasets_app_example_history", changed_example),
    admin("datasets_app_importrun", imported),
    admin("jobs_app_provider", provider),
    page("admin:jobs_app_provider_add"),
    admin("jobs_app_leftoverfile"),
    admin("jobs_app_leftoverfile", leftover),
    admin("jobs_app_webhookdoor", webhook_door),
    page("jobs:detail", job_for_later),
    admin("jobs_app_finetuningjob"),
    admin("jobs_app_finetuningjob", draft_for_later),
    admin("jobs_app_finetuningjob", unsure_job),
    admin("django_celery_beat_periodictask"),
    page("admin:tuning_server_app_apikey_changelist", given_up_message),
    page("admin:tuning_server_app_apikey_add"),
    page("admin:tuning_server_app_organization_changelist", given_up_message),
    page("admin:tuning_server_app_webhook_changelist", given_up_message),
    page("admin:tuning_server_app_webhook_add"),
    page("admin:tuning_server_app_webhookdelivery_changelist", given_up_message),
]
