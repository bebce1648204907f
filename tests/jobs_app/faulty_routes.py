"""What the faulty provider does beyond the plain fake one: uploads in parts, age."""

import hashlib
from typing import TYPE_CHECKING, Any

from tests.jobs_app.fake_provider import Refused, Request, RouteOf, form_of, page

if TYPE_CHECKING:
    from tests.jobs_app.faulty_provider import FaultyProvider


def upload_file(faulty: "FaultyProvider", request: Request) -> Any:
    name, content = form_of(request)["file"]
    return faulty.add_file(name, content)


def list_files(faulty: "FaultyProvider", request: Request) -> Any:
    files = [faulty.shown(file) for file in faulty.listed(faulty.files)]
    return _page(faulty, request, files)


def file_content(faulty: "FaultyProvider", request: Request, file_id: str) -> Any:
    return faulty.files[file_id]["content"]


def create_upload(faulty: "FaultyProvider", request: Request) -> Any:
    upload_id = faulty.new_id("upload")
    faulty.created["upload"] += 1
    faulty.uploads[upload_id] = {
        "id": upload_id,
        "object": "upload",
        "status": "pending",
        "created_at": faulty.now(),
        "expires_at": faulty.now() + int(faulty.upload_lives_seconds),
        "parts": {},
        **request.json,
    }
    return _shown_upload(faulty.uploads[upload_id])


def add_part(faulty: "FaultyProvider", request: Request, upload_id: str) -> Any:
    upload = _open_upload(faulty, upload_id)
    part_id = faulty.new_id("part")
    faulty.created["part"] += 1
    upload["parts"][part_id] = form_of(request)["data"][1]
    return {
        "id": part_id,
        "object": "upload.part",
        "created_at": faulty.now(),
        "upload_id": upload_id,
    }


def complete_upload(faulty: "FaultyProvider", request: Request, upload_id: str) -> Any:
    upload = _open_upload(faulty, upload_id)
    content = b"".join(upload["parts"][part] for part in request.json["part_ids"])
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if len(content) != upload["bytes"] or request.json.get("md5", md5) != md5:
        raise Refused("The parts are not what was announced")
    file = faulty.add_file(upload["filename"], content)
    upload.update(status="completed", file=file, parts={})
    return _shown_upload(upload)


def cancel_upload(faulty: "FaultyProvider", request: Request, upload_id: str) -> Any:
    upload = _open_upload(faulty, upload_id)
    upload.update(status="cancelled", parts={})
    return _shown_upload(upload)


def _open_upload(faulty: "FaultyProvider", upload_id: str) -> dict[str, Any]:
    upload = faulty.uploads[upload_id]
    if upload["status"] == "pending" and faulty.now() >= upload["expires_at"]:
        upload.update(status="expired", parts={})
    if upload["status"] != "pending":
        raise Refused(f"Upload is {upload['status']}")
    return upload


def _shown_upload(upload: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in upload.items() if k != "parts"}


def create_job(faulty: "FaultyProvider", request: Request) -> Any:
    key = request.headers.get("idempotency-key", "")
    return faulty.trained(faulty.job_of_key(key, **request.json))


def list_jobs(faulty: "FaultyProvider", request: Request) -> Any:
    wanted = {
        name[len("metadata[") : -1]: value
        for name, value in request.query.items()
        if name.startswith("metadata[") and faulty.has_metadata_filter
    }
    jobs = [
        faulty.trained(job)
        for job in faulty.listed(faulty.jobs)
        if wanted.items() <= (job.get("metadata") or {}).items()
    ]
    return _page(faulty, request, jobs)


def show_job(faulty: "FaultyProvider", request: Request, job_id: str) -> Any:
    return faulty.trained(faulty.jobs[job_id])


def cancel_job(faulty: "FaultyProvider", request: Request, job_id: str) -> Any:
    job = faulty.trained(faulty.jobs[job_id])
    if job["status"] in {"succeeded", "failed", "cancelled"}:
        raise Refused(f"Job is {job['status']}")
    return _set_status(faulty, job, "cancelled")


def pause_job(faulty: "FaultyProvider", request: Request, job_id: str) -> Any:
    job = faulty.trained(faulty.jobs[job_id])
    if job["status"] != "running":
        raise Refused(f"Job is {job['status']}")
    return _set_status(faulty, job, "paused")


def resume_job(faulty: "FaultyProvider", request: Request, job_id: str) -> Any:
    job = faulty.jobs[job_id]
    if job["status"] != "paused":
        raise Refused(f"Job is {job['status']}")
    return _set_status(faulty, job, "queued")


def _set_status(faulty: "FaultyProvider", job: dict[str, Any], status: str) -> Any:
    job["status"] = status
    faulty.add_event(job["id"], f"Job is {status}", created_at=faulty.now())
    return job


def list_events(faulty: "FaultyProvider", request: Request, job_id: str) -> Any:
    faulty.trained(faulty.jobs[job_id])
    return _page(faulty, request, faulty.events.get(job_id, []))


def _page(faulty: "FaultyProvider", request: Request, items: list[Any]) -> Any:
    n_times = 2 if faulty.repeats_items else 1
    found = page(faulty, request, [item for item in items for _ in range(n_times)])
    return {**found, "has_more": found["has_more"] or faulty.always_has_more}


def with_training(faulty: "FaultyProvider", job: dict[str, Any]) -> dict[str, Any]:
    """The job as it stands after its age, with the events that led there."""
    is_open = job["status"] in {"validating_files", "queued", "running"}
    if faulty.training_seconds is None or not is_open:
        return job
    share = faulty.age(job["id"]) / max(faulty.training_seconds, 1e-9)
    n_due = min(faulty.training_steps, int(share * (faulty.training_steps + 1)))
    for step in range(job.get("n_steps", 0) + 1, n_due + 1):
        data = {
            "step": step,
            "total_steps": faulty.training_steps,
            "train_loss": 1 / step,
        }
        faulty.add_event(
            job["id"],
            f"Step {step}/{faulty.training_steps}: training loss={1 / step:.2f}",
            type="metrics",
            data=data,
            created_at=faulty.now(),
        )
        job["status"], job["n_steps"] = "running", step
    if share >= 1:
        model = f"ft:{job['model']}:team:{job.get('suffix') or ''}:{job['id']}"
        job.update(
            fine_tuned_model=model, finished_at=faulty.now(), trained_tokens=1000
        )
        _set_status(faulty, job, "succeeded")
    return job


JOB = "/v1/fine_tuning/jobs/([^/]+)"
FAULTY_ROUTES: list[RouteOf] = [
    ("POST", "/v1/files", upload_file),
    ("GET", "/v1/files", list_files),
    ("GET", "/v1/files/([^/]+)/content", file_content),
    ("POST", "/v1/uploads", create_upload),
    ("POST", "/v1/uploads/([^/]+)/parts", add_part),
    ("POST", "/v1/uploads/([^/]+)/complete", complete_upload),
    ("POST", "/v1/uploads/([^/]+)/cancel", cancel_upload),
    ("POST", "/v1/fine_tuning/jobs", create_job),
    ("GET", "/v1/fine_tuning/jobs", list_jobs),
    ("GET", JOB, show_job),
    ("POST", f"{JOB}/cancel", cancel_job),
    ("POST", f"{JOB}/pause", pause_job),
    ("POST", f"{JOB}/resume", resume_job),
    ("GET", f"{JOB}/events", list_events),
]
