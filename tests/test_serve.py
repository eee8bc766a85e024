"""The bench: what it refuses, and that it says what the command line says."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from starlette.testclient import TestClient

from command import motiflens
from motiflens.app import guard, server
from motiflens.app.guard import Bucket, Refused, Rules
from motiflens.app.insertions import N_SHUFFLES
from motiflens.app.queue import Queue
from motiflens.app.served import MAX_BASES, Bench, open_bench
from motiflens.io.tables import write_table
from motiflens.report.translate import Texts, translate
from motiflens.runs import load_run
from motiflens.training import predict
from pages import Page
from served_run import PORT, TOKEN, client_of, guarded, make_served_run
from synthetic_run import write_run
from toy_models import planted

SEQUENCES = planted().sequences()[:5]
LENGTH = len(SEQUENCES[0])
VIEW = {"model": "cnn", "sequence": SEQUENCES[0]}


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    return make_served_run(folder / "run", models=("cnn", "attention", "transformer"))


@pytest.fixture(scope="module")
def bench(run_dir: Path) -> Bench:
    return open_bench([run_dir])


@pytest.fixture
def client(bench: Bench):
    with client_of(guarded(bench)) as client:
        yield client


def refused(reply, status: int) -> str:
    """Return the one line of a refusal, after checking that it is no more than that."""
    assert reply.status_code == status, reply.text[:300]
    content = reply.json()
    assert set(content) == {"error", "error_zh"}
    assert "\n" not in content["error"]
    assert not re.search(r"Traceback|\.py|site-packages", reply.text)
    return content["error"]


# Who may ask.


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": f"evil.example:{PORT}"}, 403),
        ({"host": "127.0.0.1:1"}, 403),
        ({"host": ""}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": f"http://evil.example:{PORT}"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": f"https://127.0.0.1:{PORT}"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"authorization": ""}, 401),
        ({"authorization": "Bearer other"}, 401),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/x-www-form-urlencoded"}, 415),
        ({"content-type": ""}, 415),
        ({"content-length": "2097153"}, 413),
        ({"content-length": "many"}, 413),
    ],
)
def test_requests_that_are_refused(client: TestClient, headers, status: int) -> None:
    body = json.dumps(VIEW)
    given = {"content-type": "application/json", **headers}
    told = refused(client.post("/api/view", content=body, headers=given), status)
    words = {403: "not allowed", 401: "token", 415: "application/json", 413: "larger than"}
    assert words[status] in told


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"},
        {"content-type": "application/json; charset=utf-8"},
        {},
    ],
)
def test_requests_of_its_own_page_and_of_programs_are_not(client: TestClient, headers) -> None:
    given = {"content-type": "application/json", **headers}
    assert client.post("/api/view", content=json.dumps(VIEW), headers=given).status_code == 200


def test_a_body_is_cut_where_it_becomes_too_large(client: TestClient) -> None:
    sent = 0

    def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 2**16
            if sent > 1000:
                return

    json_type = {"content-type": "application/json"}
    told = refused(client.post("/api/view", content=endless(), headers=json_type), 413)
    assert told == "the body is larger than 2,097,152 bytes"


@pytest.mark.parametrize(
    "path", ["/..%2f..%2fetc/passwd", "/../x", "/%2e%2e/x", "/api/view/", "/docs", "/s/..%2f"]
)
@pytest.mark.parametrize("named", [True, False])
def test_no_path_leads_to_a_file(client: TestClient, path: str, named: bool) -> None:
    headers = {} if named else {"authorization": ""}
    assert refused(client.get(path, headers=headers), 404) == "there is nothing at this address"


@pytest.mark.parametrize("path", ["/", "/api", "/openapi.json", "/api/models"])
def test_every_page_needs_the_token(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
    client.cookies.clear()
    refused(client.get(path, headers={"authorization": ""}), 401)


def test_the_page_is_opened_by_its_address_and_stays_open_by_a_cookie(bench: Bench) -> None:
    with client_of(guarded(bench), headers={}) as client:
        refused(client.get("/?token=other"), 401)
        refused(client.get(f"/api/models?token={TOKEN}"), 401)
        opened = client.get("/", params={"token": TOKEN})
        assert opened.status_code == 200
        cookie = opened.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        name, value = cookie.split(";")[0].split("=", 1)
        client.cookies.clear()
        assert client.get("/", headers={"cookie": f"{name}={value}"}).status_code == 200
        refused(client.get("/", headers={"cookie": f"{name}=other"}), 401)
        refused(client.get("/", headers={"cookie": "motiflens-1=a-token-of-a-test"}), 401)


def test_other_methods_are_refused(client: TestClient) -> None:
    told = {refused(client.get("/api/view"), 405), refused(client.delete("/api/models"), 405)}
    assert told == {"Method Not Allowed"}


# How much and how often.


def test_requests_are_limited_in_number(bench: Bench) -> None:
    now = [0.0]
    bucket = Bucket(rate=2, burst=3, clock=lambda: now[0])
    with client_of(guarded(bench, bucket)) as client:
        assert [client.get("/api/models").status_code for _ in range(4)] == [200, 200, 200, 429]
        reply = client.get("/api/models")
        refused(reply, 429)
        assert reply.headers["retry-after"] == "1"
        now[0] = 0.5
        assert [client.get("/api/models").status_code for _ in range(2)] == [200, 429]
        now[0] = 100.0
        assert [client.get("/api/models").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_work_that_waits_is_limited() -> None:
    async def crowd() -> list[object]:
        queue, go = Queue(1, waiting=2), threading.Event()
        asked = [asyncio.create_task(queue.compute(go.wait)) for _ in range(50)]
        await asyncio.sleep(0.05)
        go.set()
        done = await asyncio.gather(*asked, return_exceptions=True)
        later = await queue.compute(lambda: "later")
        queue.close()
        return [*done, later]

    *done, later = asyncio.run(crowd())
    assert done.count(True) == 3
    others = [one for one in done if one is not True]
    assert all(isinstance(one, Refused) and one.status == 503 for one in others)
    assert later == "later"


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch) -> None:
    monkeypatch.setattr(guard, "PATIENCE", 0.02)

    async def silent() -> dict:
        await asyncio.sleep(60)
        return {}

    with pytest.raises(Refused) as found:
        asyncio.run(Rules.of(TOKEN, PORT, ()).read(silent))
    assert found.value.status == 408


@pytest.mark.parametrize("path", ["/api/view", "/api/sweep", "/api/inside", "/api/insert"])
@pytest.mark.parametrize(
    ("sequence", "words"),
    [
        ("A" * 1_000_000, f"from position {MAX_BASES + 1:,} on"),
        ("A" * 12 + "X" + "C" * 30, "'X' at position 13"),
        ("ACGT" * 8 + "→" + "ACGT", "'→' at position 33"),
        ("N" * 40, "only N"),
        ("", "0 bases"),
    ],
)
def test_wrong_sequences_are_told_with_the_position(client, path, sequence, words) -> None:
    body = {**VIEW, "sequence": sequence, "letters": "ACG", "start": 0}
    reply = client.post(path, json=body)
    assert words in refused(reply, 422)
    assert reply.json()["error_zh"] != reply.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "null",
        '{"model": "cnn"}',
        '{"model": 1, "sequence": "ACGT"}',
        '{"model": "cnn", "sequence": ["A"]}',
        '{"model": "../cnn", "sequence": "ACGTACGTACGTACGT"}',
        '{"model": "cnn", "sequence": "ACGTACGTACGTACGT", "seed": 99}',
        '{"model": "cnn", "sequence": "ACGTACGTACGTACGT", "method": "attention"}',
        '{"model": "cnn", "sequence": "ACG"}',
        "\ud800",
    ],
)
def test_wrong_requests_are_told_in_a_line(client: TestClient, body: str) -> None:
    content = body.encode("utf-8", errors="surrogatepass")
    reply = client.post("/api/view", content=content, headers={"content-type": "application/json"})
    assert refused(reply, 422)


def test_a_fault_of_the_server_shows_nothing_of_it(client, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("a secret of the server")

    monkeypatch.setattr(server, "view", broken)
    reply = client.post("/api/view", json=VIEW)
    assert "secret" not in refused(reply, 500)


# What it says.


def explained(run_dir: Path, model: str, method: str) -> np.ndarray:
    with np.load(run_dir / "attributions" / model / f"{method}.npz") as arrays:
        return arrays["contributions"].sum(axis=1)


@pytest.fixture(scope="module")
def of_commands(run_dir: Path) -> Path:
    """Explain the run and score some sequences by the command line."""
    done = motiflens("explain", run_dir, "--threads", "1")
    assert done.returncode == 0, done.stderr
    return run_dir


@pytest.mark.parametrize("model", ["cnn", "attention", "transformer"])
def test_predictions_are_those_of_the_command(run_dir, client, tmp_path, model) -> None:
    letters = [*SEQUENCES, SEQUENCES[0][:20], SEQUENCES[1].replace("A", "N"), "GC" * 40]
    fasta, table = tmp_path / "some.fa", tmp_path / "scores.tsv"
    fasta.write_text("".join(f">s{i}\n{one}\n" for i, one in enumerate(letters)))
    done = motiflens("predict", run_dir, fasta, "-o", table, "--model", model)
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(table, sep="\t", keep_default_na=False)
    for letter, row in zip(letters, scores.itertuples(), strict=True):
        found = client.post("/api/view", json={"model": model, "sequence": letter.lower()}).json()
        assert found["sequence"] == letter
        said = found["prediction"]
        assert said["logit"] == pytest.approx(float(row.logit), abs=1e-5)
        assert said["sd"] == pytest.approx(float(row.sd), abs=1e-5)
        assert said["unusual"] == row.unusual
        if row.probability:
            assert said["probability"] == pytest.approx(float(row.probability), abs=1e-5)
        else:
            assert said["probability"] is None


@pytest.mark.parametrize("model", ["cnn", "attention", "transformer"])
@pytest.mark.parametrize("method", ["ism", "deeplift_shap"])
def test_explanations_are_those_of_the_command(of_commands, client, model, method) -> None:
    wanted = explained(of_commands, model, method)
    with np.load(of_commands / "attributions" / model / "ism.npz") as arrays:
        letters = ["".join("ACGT"[b] for b in one.argmax(axis=0)) for one in arrays["one_hot"]]
    for letter, values in zip(letters[:3], wanted, strict=False):
        body = {"model": model, "sequence": letter, "seed": 0, "method": method}
        found = client.post("/api/view", json=body).json()
        assert found["contributions"] == pytest.approx(values.tolist(), abs=1e-5)


@pytest.mark.parametrize("model", ["attention", "transformer"])
def test_attention_is_that_of_the_command(of_commands, client, model) -> None:
    wanted = explained(of_commands, model, "attention")
    with np.load(of_commands / "attributions" / model / "ism.npz") as arrays:
        letters = "".join("ACGT"[b] for b in arrays["one_hot"][0].argmax(axis=0))
    found = client.post("/api/view", json={"model": model, "sequence": letters, "seed": 0}).json()
    assert found["attention"] == pytest.approx(wanted[0].tolist(), abs=1e-5)
    assert sum(found["attention"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("seed", ["mean", 1])
def test_effects_are_the_logits_of_the_changed_sequences(run_dir, client, seed) -> None:
    run, sequence = load_run(run_dir), SEQUENCES[2]
    model = run.models["cnn"] if seed == "mean" else run.model("cnn", seed)
    whose = {"mean": True} if seed == "mean" else {"seed": seed}
    body = {"model": "cnn", "sequence": sequence, "method": "ism", **whose}
    found = client.post("/api/view", json=body).json()
    for at in (0, 7, 18, LENGTH - 1):
        changed = [sequence[:at] + letter + sequence[at + 1 :] for letter in "ACGT"]
        wanted = predict(model, changed) - predict(model, [sequence])
        assert [row[at] for row in found["effects"]] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_one_seed_or_the_mean_of_all_is_explained(client: TestClient) -> None:
    views = [client.post("/api/view", json={**VIEW, "seed": seed}).json() for seed in (0, 1)]
    of = [view["contributions"] for view in views]
    both = client.post("/api/view", json={**VIEW, "mean": True}).json()
    assert client.post("/api/view", json=VIEW).json() == views[0]
    assert both["seed"] is None
    assert both["contributions"] == pytest.approx(np.mean(of, axis=0).tolist(), abs=1e-5)
    assert not np.allclose(*of, atol=1e-3)


def test_networks_without_quick_mutants_are_explained_by_gradients_first(client) -> None:
    models = {one["id"]: one for one in client.get("/api/models").json()["models"]}
    assert models["cnn"]["methods"][0] == "ism"
    assert models["transformer"]["methods"][0] == "input_x_gradient"
    assert set(models["cnn"]["methods"]) == set(models["transformer"]["methods"])


@pytest.mark.parametrize(
    ("form", "letters"), [("motif", "GATTACCA"), ("reverse complement", "TGGTAATC")]
)
def test_a_motif_is_put_in(client: TestClient, form: str, letters: str) -> None:
    body = {"sequence": SEQUENCES[0], "letters": "gattacca", "start": 11, "form": form}
    found = client.post("/api/insert", json=body).json()
    assert found["sequence"] == SEQUENCES[0][:11] + letters + SEQUENCES[0][19:]
    assert found["letters"] == letters


def test_a_shuffle_keeps_the_letters(client: TestClient) -> None:
    body = {"sequence": SEQUENCES[0], "letters": "GATTACCA", "start": 11, "form": "shuffle"}
    drawn = [
        client.post("/api/insert", json={**body, "seed": s}).json()["letters"] for s in (1, 2, 1)
    ]
    assert drawn[0] == drawn[2] != drawn[1]
    assert all(sorted(one) == sorted("GATTACCA") for one in drawn)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"start": -1}, "reach out"),
        ({"start": LENGTH - 7}, "reach out"),
        ({"letters": "GANTA"}, "no string over"),
        ({"letters": ""}, "no string over"),
        ({"letters": "A" * 99}, "do not fit"),
        ({"form": "backwards"}, "form of a motif"),
        ({"form": "shuffle", "seed": -1}, "below 0"),
    ],
)
def test_a_motif_that_cannot_be_put_in_is_refused(client, change, words) -> None:
    body = {"sequence": SEQUENCES[0], "letters": "GATTACCA", "start": 11, **change}
    assert words in refused(client.post("/api/insert", json=body), 422)


def test_a_sweep_scores_the_motif_and_its_shuffles_everywhere(run_dir, client) -> None:
    body = {"model": "cnn", "sequence": SEQUENCES[0], "letters": "GATTACCA"}
    found = client.post("/api/sweep", json=body).json()
    n = LENGTH - 8 + 1
    assert found["starts"] == list(range(n))
    assert len(found["shuffles"]) == N_SHUFFLES
    model = load_run(run_dir).models["cnn"]

    def everywhere(letters: str) -> np.ndarray:
        return predict(
            model, [SEQUENCES[0][:s] + letters + SEQUENCES[0][s + 8 :] for s in range(n)]
        )

    controls = np.stack([everywhere(one) for one in found["shuffles"]])
    assert found["logits"] == pytest.approx(everywhere("GATTACCA").tolist(), abs=1e-5)
    assert found["control"] == pytest.approx(controls.mean(axis=0).tolist(), abs=1e-5)
    assert found["control_low"] == pytest.approx(controls.min(axis=0).tolist(), abs=1e-5)
    assert found["control_high"] == pytest.approx(controls.max(axis=0).tolist(), abs=1e-5)
    assert found["without"] == pytest.approx(predict(model, SEQUENCES[:1])[0], abs=1e-5)


def test_a_sweep_of_a_long_sequence_leaves_positions_out(client: TestClient) -> None:
    body = {"model": "cnn", "sequence": "ACGTTGCA" * 150, "letters": "GATTACCA"}
    starts = client.post("/api/sweep", json=body).json()["starts"]
    assert starts[:3] == [0, 5, 10]


NET = """
from torch import nn

def build():
    pooled = nn.Sequential(nn.Conv1d(4, 8, 9), nn.ReLU(), nn.AdaptiveMaxPool1d(1), nn.Flatten())
    return nn.Sequential(pooled, nn.Linear(8, 1), nn.Flatten(0))
"""


def test_a_module_of_others_is_served_without_its_stages(tmp_path: Path) -> None:
    write_table(planted(), tmp_path / "mine.parquet")
    (tmp_path / "net.py").write_text(NET)
    module = ("--module", "net.py:build", "--threads", "1")
    done = motiflens("explain", "mine.parquet", *module, "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with client_of(guarded(open_bench([tmp_path / "out"]))) as client:
        (model,) = client.get("/api/models").json()["models"]
        assert not model["stages"]
        body = {"model": model["id"], "sequence": SEQUENCES[0]}
        assert len(client.post("/api/view", json=body).json()["contributions"]) == LENGTH
        assert "are not known" in refused(client.post("/api/inside", json=body), 422)
        assert client.get("/").status_code == 200


# The pages.


def test_the_page_holds_an_example_and_asks_no_other_host(client: TestClient) -> None:
    reply = client.get("/")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy
    page = Page(reply.text)
    assert not [value for _, name, value in page.attributes if name in ("style", "onclick")]
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", reply.text)
    (start,) = re.findall(r'id="start-data">(.*?)</script>', reply.text, re.DOTALL)
    content = json.loads(start)
    example = content["offer"]["examples"][0]
    for view in content["views"]:
        body = {"model": view["model"], "sequence": example["sequence"]}
        assert client.post("/api/view", json=body).json() == view
    assert content["inside"]["unfolded"]["stage"] == "filters"
    assert {"GATTACCA"} == {motif["letters"] for motif in content["offer"]["motifs"]}


def test_the_page_of_the_api_names_every_address(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {path for path in server.PATHS if path.startswith("/api/")}
    reply = client.get("/api")
    page = Page(reply.text)
    for path in schema["paths"]:
        assert path in page.text
    assert "contributions" in page.text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", reply.text)


@pytest.mark.parametrize("headers", [{}, {"accept": "application/json"}])
def test_a_program_without_the_token_gets_one_line(client: TestClient, headers) -> None:
    client.cookies.clear()
    assert refused(client.get("/", headers={"authorization": "", **headers}), 401) == guard.NO_TOKEN


@pytest.mark.parametrize(("path", "status"), [("/", 401), ("/api", 401), ("/nothing", 404)])
def test_a_browser_that_is_refused_gets_a_page_to_read(client: TestClient, path, status) -> None:
    accept = "text/html,application/xhtml+xml,*/*;q=0.8"
    reply = client.get(path, headers={"authorization": "", "accept": accept})
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert "frame-ancestors 'none'" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"
    page = Page(reply.text)
    assert ("printed" in page.text) == ("令牌" in page.text) == (status == 401)
    assert ("nothing at this address" in page.text) == ("此地址没有内容" in page.text)
    assert TOKEN not in reply.text
    posted = client.post("/api/view", json=VIEW, headers={"authorization": "", "accept": accept})
    refused(posted, 401)


def test_every_text_of_the_bench_is_translated(client: TestClient) -> None:
    html = client.get("/").text
    for page in (html, client.get("/api").text):
        left = [text for text in Texts(page).found if translate(text) == text and " " in text]
        assert left == []
    (words,) = re.findall(r'id="words">(.*?)</script>', html, re.DOTALL)
    from motiflens.app.page import SCRIPTS
    from motiflens.report.assets import script_of
    from motiflens.report.translate import said_by

    said = said_by(script_of(*SCRIPTS))
    same = {"logit", "DeepLIFT/SHAP", "Logit"}
    assert [text for text in said if text not in json.loads(words)] == sorted(same, key=said.index)


def test_confirmed_motifs_are_offered_first(run_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(run_dir, tmp_path / "run")
    shutil.copy(write_run(tmp_path / "other") / "motifs.json", tmp_path / "run")
    motifs = open_bench([tmp_path / "run"]).offer.motifs
    assert [motif.name for motif in motifs][:3] == ["motif-1", "motif-2", "GATTACCA"]
    assert {motif.origin for motif in motifs[3:]} == {"read from the model"}
    assert len({motif.letters for motif in motifs}) == len(motifs)


HOSTILE = '"><img src=x onerror=alert(1)><!--</script> \u2028\u202e=cmd'


def test_hostile_names_make_no_element(run_dir: Path, tmp_path: Path) -> None:
    folder = tmp_path / HOSTILE.replace("/", "\N{FRACTION SLASH}")
    shutil.copytree(run_dir, folder)
    data = folder / "data.parquet"
    table = pd.read_parquet(data)
    table["name"] = [f"</script><script>alert({i})</script>" for i in range(len(table))]
    table.to_parquet(data)
    bench = open_bench([run_dir, folder])
    assert [one.count("=cmd") for one in bench.models] == [0, 0, 0, 1, 1, 1]
    with client_of(guarded(bench)) as client:
        plain = Page(client_of(guarded(open_bench([run_dir]))).get("/").text)
        page = Page(client.get("/").text)
        assert page.tags == plain.tags
        assert client.get("/api/models").json()["models"][3]["run"] == folder.name
