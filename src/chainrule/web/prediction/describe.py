"""The service described: what the model takes and gives, and the whole interface as OpenAPI."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from chainrule.data.column import HUGE
from chainrule.data.records import Encoding
from chainrule.model import Model
from chainrule.version import __version__
from chainrule.web.prediction.limits import Limits
from chainrule.web.prediction.rows import types_of

JSON, CSV, TEXT = "application/json", "text/csv", "text/plain"

_Object = dict[str, Any]


def schema(model: Model) -> _Object:
    """What the model takes and gives, and what it is worth; nothing of the machine it is on."""
    preparation, card = model.preparation, model.card
    return {
        "task": model.task,
        "targets": [
            {"name": target.name, "task": target.task, "choices": list(target.choices)}
            | _unit(model, target.name)
            for target in preparation.targets
        ],
        "inputs": [_input(model, record) for record in preparation.inputs],
        "card": {
            "chainrule": card.chainrule,
            "data": PurePath(card.data.replace("\\", "/")).name,
            "date": card.date,
            "rows": card.rows,
            "scores": card.scores,
            "baseline": card.baseline,
        },
    }


def _input(model: Model, record: Encoding) -> _Object:
    found = {"name": record.name, "kind": record.kind, "types": list(types_of(record))}
    for what in ("categories", "form"):  # of the kinds that have them
        if getattr(record, what, None):
            found[what] = getattr(record, what)
    return found | {"treatment": record.treatment()} | _unit(model, record.name)


def _unit(model: Model, name: str) -> _Object:
    return {"unit": model.card.units[name]} if name in model.card.units else {}


def openapi(model: Model, limits: Limits, token: bool) -> _Object:
    """The description of the service in OpenAPI 3.1."""
    names = ", ".join(target.name for target in model.preparation.targets)
    secured: list[_Object] = [{"token": []}] if token else []
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Predictions of {names}", "version": __version__},
        "security": secured,
        "paths": {
            "/predict": {"post": _predict(model, limits)},
            "/schema": {"get": _get("What the model takes and gives.", JSON)},
            "/health": {
                "get": _get("Whether the service answers.", JSON, busy=True) | {"security": []}
            },
            "/metrics": {"get": _get("Counts, in Prometheus's text format.", TEXT)},
            "/openapi.json": {"get": _get("This description.", JSON)},
        },
        "components": {
            "schemas": {
                "Row": row_schema(model.preparation.inputs),
                "Rows": _rows(limits),
                "Answer": _answer(model),
                "Error": _ERROR,
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def row_schema(inputs: list[Encoding]) -> _Object:
    """A row as JSON Schema: every input, null where it is not known."""
    return {
        "type": "object",
        "properties": {record.name: _field(record) for record in inputs},
        "required": [record.name for record in inputs],
    }


def _field(record: Encoding) -> _Object:
    found: _Object = {"type": list(types_of(record)), "description": record.treatment()}
    if "number" in found["type"]:
        found |= {"minimum": -HUGE, "maximum": HUGE}
    return found


def _rows(limits: Limits) -> _Object:
    rows = {"type": "array", "items": _ref("Row"), "minItems": 1, "maxItems": limits.rows}
    return {
        "type": "object",
        "properties": {"rows": rows},
        "required": ["rows"],
        "additionalProperties": False,
    }


def _answer(model: Model) -> _Object:
    targets = {target.name: _prediction(target) for target in model.preparation.targets}
    one = {"type": "object", "properties": targets, "required": list(targets)}
    return {
        "type": "object",
        "properties": {
            "predictions": {"type": "array", "items": one},
            "notes": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["predictions", "notes"],
    }


def _prediction(target: Any) -> _Object:
    if not target.choices:
        return {"type": "object", "properties": {"value": {"type": "number"}}}
    names = {"type": "string", "enum": list(target.choices)}
    one = target.task == "classification"
    chance = {"type": "number", "minimum": 0, "maximum": 1}
    return {
        "type": "object",
        "properties": {
            "value": names if one else {"type": "array", "items": names},
            "probabilities": {"type": "object", "additionalProperties": chance},
        },
    }


_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "details": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "row": {"type": "integer"},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
                "required": ["message"],
            },
        },
    },
    "required": ["error"],
}

_REFUSALS = {
    "400": "The body is not JSON.",
    "408": "The body did not arrive in time.",
    "413": "The body, or the number of its rows, is too large.",
    "415": "The body is neither JSON nor CSV.",
    "422": "Values cannot be used; details name row and field.",
    "503": "The service is busy, or stopping.",
}


def _predict(model: Model, limits: Limits) -> _Object:
    columns = ", ".join(record.name for record in model.preparation.inputs)
    return {
        "summary": "Predict rows.",
        "description": f"JSON, or CSV with a header: {columns}. At most {limits.rows:,} rows.",
        "requestBody": {
            "required": True,
            "content": {
                JSON: {"schema": _ref("Rows")},
                CSV: {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {
                "description": "The predictions, in the order of the rows, as they were asked for.",
                "content": {
                    JSON: {"schema": _ref("Answer")},
                    CSV: {"schema": {"type": "string"}},
                },
            },
            **_errors(_REFUSALS),
        },
    }


def _get(summary: str, kind: str, busy: bool = False) -> _Object:
    shape = {"type": "object"} if kind == JSON else {"type": "string"}
    good = {"description": summary, "content": {kind: {"schema": shape}}}
    refusals = {"503": _REFUSALS["503"]} if busy else {}
    return {"summary": summary, "responses": {"200": good, **_errors(refusals)}}


def _errors(refusals: dict[str, str]) -> _Object:
    """Refusals, and those that any request may meet."""
    told = {**refusals, "401": "The token is missing.", "403": "Asked under a foreign name."}
    content = {JSON: {"schema": _ref("Error")}}
    return {code: {"description": why, "content": content} for code, why in told.items()}


def _ref(name: str) -> _Object:
    return {"$ref": f"#/components/schemas/{name}"}
