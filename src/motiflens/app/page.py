"""The pages of the bench: one with everything in it, and one that describes the API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from markupsafe import Markup

from motiflens.app.inside import look_inside
from motiflens.app.inside_wire import Inside, InsideRequest, UnitChoice
from motiflens.app.served import Bench
from motiflens.app.wire import View
from motiflens.report.assets import environment, policy, script_of, style_of
from motiflens.report.browser import as_script_data
from motiflens.report.translate import dictionary, translate
from motiflens.version import __version__

HERE = Path(__file__).parent
SCRIPTS = tuple(HERE / name for name in ("state.js", "tracks.js", "stages.js", "bench.js"))


@dataclass(frozen=True)
class Page:
    """A page, and the policy that its browser is to keep."""

    html: str
    policy: str


def bench_page(bench: Bench, views: Iterable[View], inside: Inside | None) -> Page:
    """Render the bench, with an example already computed."""
    style, script = style_of(HERE / "bench.css"), script_of(*SCRIPTS)
    start = {"offer": bench.offer, "views": list(views), "inside": inside}
    template = environment(HERE).get_template("bench.html")
    shown = partial(template.render, offer=bench.offer, version=__version__)
    words = dictionary(shown(words="", start="", style="", script=""), script)
    html = shown(
        words=Markup(as_script_data(words)),
        start=Markup(as_script_data(msgspec.to_builtins(start))),
        style=Markup(style),
        script=Markup(script),
    )
    return Page(html, f"{policy(style, script)}; connect-src 'self'; frame-ancestors 'none'")


def first_inside(bench: Bench) -> Inside | None:
    """Look into a model on the first example, at the unit of a filter that is most active."""
    sequence = bench.offer.examples[0].sequence
    models = (served.about for served in bench.models.values())
    open_ones = (one.id for one in models if one.stages and len(sequence) <= one.max_length)
    model = next(open_ones, None)
    if model is None:
        return None
    request = InsideRequest(model, sequence)
    found = look_inside(bench, request)
    stage = found.stages[0]
    size, row, column = max(
        (value, row, column)
        for row, values in zip(stage.rows, stage.values, strict=True)
        for column, value in zip(stage.columns, values, strict=True)
    )
    chosen = UnitChoice(stage.name, row, column)
    return look_inside(bench, replace(request, unit=chosen)) if size else found


def refusal_page(why: str, *remedies: str) -> Page:
    """Render why a browser gets no page, and what its reader can do, in both languages."""
    style = style_of(HERE / "bench.css")
    english = ("The bench does not open this page", f"{why[:1].upper()}{why[1:]}.", *remedies)
    texts = [("en", english), ("zh-CN", [translate(text) for text in english])]
    template = environment(HERE).get_template("refused.html")
    html = template.render(texts=texts, version=__version__, style=Markup(style))
    return Page(html, f"{policy(style)}; frame-ancestors 'none'")


def api_page(schema: dict[str, Any]) -> Page:
    """Render a description of the API, which loads nothing from another host."""
    style, script = style_of(HERE / "bench.css"), script_of(HERE / "api.js")
    types = schema["components"]["schemas"]
    calls = []
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            body = call.get("requestBody", {}).get("content", {}).get("application/json", {})
            reply = call["responses"]["200"]["content"]["application/json"]
            calls.append(
                {
                    "method": method.upper(),
                    "path": path,
                    "text": call["description"],
                    "takes": _fields(body.get("schema"), types),
                    "gives": _fields(reply["schema"], types),
                    "refusals": {s: r["description"] for s, r in call["responses"].items()},
                }
            )
    template = environment(HERE).get_template("api.html")
    shown = partial(template.render, calls=calls, info=schema["info"])
    words = dictionary(shown(words="", style="", script=""), script)
    html = shown(words=Markup(as_script_data(words)), style=Markup(style), script=Markup(script))
    return Page(html, f"{policy(style, script)}; frame-ancestors 'none'")


def _fields(schema: dict[str, Any] | None, types: dict[str, Any]) -> list[tuple[str, str, str]]:
    """List the fields of a type: name, what it holds, and what it is without being given."""
    if schema is None:
        return []
    found = types[schema["$ref"].rpartition("/")[2]]
    required = found.get("required", [])
    return [
        (name, _type(field), "" if name in required else _default(field))
        for name, field in found["properties"].items()
    ]


def _default(field: dict[str, Any]) -> str:
    return msgspec.json.encode(field.get("default")).decode()


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"].rpartition("/")[2])
    if "anyOf" in field:
        return " | ".join(_type(one) for one in field["anyOf"])
    if field.get("type") == "array":
        inner = field.get("items") or (field.get("prefixItems") or [{}])[0]
        return f"{_type(inner)}[]"
    return str(field.get("type", "any"))
