from tuning_server_app.services import tokenizers


def test_only_missing_tokenizers_are_saved(settings, tmp_path, monkeypatch):
    settings.TUNING_SERVER_BASE_MODELS = {"org/here": "a", "there": "b"}
    started: list[list[str]] = []
    monkeypatch.setattr(
        tokenizers.subprocess, "Popen", lambda command, **_: started.append(command)
    )
    (tmp_path / "org--here").mkdir()

    tokenizers.begin_saving_tokenizers(tmp_path)

    (command,) = started
    assert command[-3:] == ["there", "b", str(tmp_path / "there")]
