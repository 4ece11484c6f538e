"""What a re-embedding changes: which field, filled by which model from which text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from elanus.engine.definition import Definition
from elanus.engine.embedding import TextModel, function_model, settled
from elanus.errors import InvalidArgument, SchemaError
from elanus.schema.collection import CollectionSchema
from elanus.schema.fields import FieldSchema
from elanus.schema.functions import Function
from elanus.types import DataType


@dataclass(frozen=True)
class Change:
    """The model, with the fields it is between, and the function with its new params, if one fills the field."""

    model: TextModel
    function: Function | None

    @property
    def field(self) -> str:
        """The vector field."""
        return self.model.target.name

    def apply(self, definition: Definition) -> Definition:
        """The definition with the model's dim and fingerprint, and the function's params."""
        raw = definition.to_dict()
        fields = raw["schema"]["fields"]
        raw["schema"]["fields"] = [self.model.target.to_dict() if f["name"] == self.field else f for f in fields]
        if self.function is not None:
            functions = raw["schema"]["functions"]
            new = self.function.to_dict()
            raw["schema"]["functions"] = [new if f["name"] == new["name"] else f for f in functions]
        kept = {field: text for field, text in definition.fingerprints.items() if field != self.field}
        own = self.model.fingerprint
        raw["fingerprints"] = kept if own is None else {**kept, self.field: own}
        return Definition.from_dict(raw)


def new_function(schema: CollectionSchema, field: str | None, params: Mapping[str, Any] | None) -> Change:
    """A TEXTEMBEDDING function with other params; with the same ones if None, and the model that is behind them now.

    Raises:
        InvalidArgument: no function fills the field, or several do and none is named.
        ModelFailed: the model cannot be had.
    """
    filled = {function.output_field_names[0]: function for function in schema.embeddings}
    if field is None and len(filled) == 1:
        field = next(iter(filled))
    if field not in filled:
        raise InvalidArgument(
            f"reembed: name the field that a TEXTEMBEDDING function fills, one of {sorted(filled) or 'none'}, "
            f"not {field!r}; a field that you fill yourself needs embedder="
        )
    old = filled[field]
    function = old if params is None else Function.from_dict({**old.to_dict(), "params": params})
    function.verify(schema.field)
    model = _resized(function_model(schema, function))
    return Change(model, settled(function, model))


def new_embedder(schema: CollectionSchema, field: str | None, embedder: Any, text_field: str | None) -> Change:
    """A model for a vector field that no function fills.

    Raises:
        InvalidArgument: the field or the text field is not clear, or does not fit.
    """
    for method in ("embed_documents", "embed_queries"):
        if not callable(getattr(embedder, method, None)):
            raise InvalidArgument(f"reembed: embedder must have a method {method}, {type(embedder).__name__} has not")
    dense = [f.name for f in schema.vector_fields if f.dtype == DataType.FLOAT_VECTOR]
    target = _only("field", field, dense)
    if schema.embedding(target) is not None:
        raise InvalidArgument(f"reembed: a function fills '{target}'; give its new function_params, no embedder")
    read = {name for function in schema.functions for name in function.input_field_names}
    texts = [f.name for f in schema.fields if f.dtype == DataType.VARCHAR and not f.is_primary]
    source = _only("text_field", text_field, sorted(read) if text_field is None and read else texts)
    return Change(
        _resized(TextModel(embedder, schema.field(source), schema.field(target), type(embedder).__name__)), None
    )


def _only(option: str, name: str | None, fit: list[str]) -> str:
    if name is None and len(fit) == 1:
        return fit[0]
    if name not in fit:
        raise InvalidArgument(f"reembed: {option} must be one of {fit}, not {name!r}")
    return name


def _resized(model: TextModel) -> TextModel:
    """The model with its field as long as its vectors are."""
    raw = model.target.to_dict()
    raw["params"] = {**raw["params"], "dim": model.dim}
    try:
        return replace(model, target=FieldSchema.from_dict(raw))
    except SchemaError as error:
        raise InvalidArgument(f"reembed: {model.said}: {error.message}") from None
