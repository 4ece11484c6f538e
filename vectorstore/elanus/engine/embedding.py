"""Embedding functions: from the texts of a batch to its vectors, from query texts to query vectors.

Models are called outside every lock, on the way in before the batch is committed; from there on a vector is a column
like any other. Which model filled a field is in the definition, as its fingerprint, and no other may join it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from elanus.engine.definition import Definition
from elanus.errors import ModelMismatch, RowError, SchemaError
from elanus.models import embed_documents, embed_queries, find_embedder, fingerprint
from elanus.schema.collection import CollectionSchema
from elanus.schema.dense import vector_column
from elanus.schema.fields import FieldSchema
from elanus.schema.functions import Function
from elanus.search.request import as_texts, given_texts


@dataclass(frozen=True)
class TextModel:
    """A model, the fields it is between, and what errors call it."""

    model: Any
    source: FieldSchema
    target: FieldSchema
    said: str

    @property
    def fingerprint(self) -> str | None:
        """What must agree for vectors to be comparable; None if the model does not say."""
        return fingerprint(self.model)

    @property
    def dim(self) -> int:
        """The length of the model's vectors: what it says, or else what it gives."""
        said = getattr(self.model, "dim", None)
        return int(said) if isinstance(said, int) else embed_documents(self.model, ["a"], None, self.said).shape[1]

    def column(self, batch: pa.RecordBatch) -> pa.Array:
        """The vectors of a batch's texts, embedded in one call.

        Raises:
            RowError: a row has no text.
            ModelFailed: the model did.
        """
        texts = batch.column(self.source.name)
        if texts.null_count:
            row = pc.index(texts.is_null(), True).as_py()
            raise RowError(f"row {row}, field '{self.source.name}' is null: {self.said} needs a text to embed", row)
        return self.vectors(texts.to_pylist())

    def vectors(self, texts: list[str]) -> pa.Array:
        """The vectors of texts as a column."""
        return vector_column(self.target, embed_documents(self.model, texts, self.target.dim, self.said))


def function_model(schema: CollectionSchema, function: Function) -> TextModel:
    """The model of a TEXTEMBEDDING function.

    Raises:
        InvalidArgument, ModelFailed: there is none; names the function.
    """
    params = dict(function.params)
    provider, who = params.pop("provider"), f"function '{function.name}'"
    model = find_embedder(provider, params, who)
    ends = schema.field(function.input_field_names[0]), schema.field(function.output_field_names[0])
    return TextModel(model, *ends, f"{who}, embedder {_named(provider, params)}")


def _named(provider: str, params: Mapping[str, Any]) -> str:
    return f"'{provider}'" + (f", model '{params['model_name']}'" if "model_name" in params else "")


def bind_models(schema: CollectionSchema) -> tuple[CollectionSchema, dict[str, str]]:
    """Load the models of a schema's functions; return the schema with what they settled, and each field's fingerprint.

    Raises:
        SchemaError: a model's vectors have another length than its field.
    """
    bound, fingerprints = CollectionSchema.from_dict(schema.to_dict()), {}
    for place, function in enumerate(schema.functions):
        if function in schema.embeddings:
            model = function_model(schema, function)
            if model.dim != model.target.dim:
                raise SchemaError(
                    f"{model.said} gives vectors of {model.dim} numbers, field '{model.target.name}' has "
                    f"dim={model.target.dim}; declare dim={model.dim}"
                )
            bound.functions[place] = settled(function, model)
            if model.fingerprint is not None:
                fingerprints[model.target.name] = model.fingerprint
    return bound, fingerprints


def settled(function: Function, model: TextModel) -> Function:
    """The function with what its model chose by this machine, if it tells, so that others choose the same."""
    tell = getattr(model.model, "settled", dict)
    return Function.from_dict({**function.to_dict(), "params": {**tell(), **function.params}})


def with_vectors(name: str, definition: Definition, batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with the outputs of the collection's embedding functions behind its other columns.

    A batch for a partial upsert may lack a function's text; its rows keep the vectors that they have.

    Raises:
        RowError: a row has no text to embed.
        ModelMismatch: this process has another model than the one that filled the field.
        ModelFailed, InvalidArgument: the model cannot be had, or failed.
    """
    for function in definition.schema.embeddings:
        if function.input_field_names[0] not in batch.schema.names:
            continue
        model = own_model(name, definition, function)
        batch = batch.append_column(model.target.name, model.column(batch))
    return batch


def query_data(name: str, definition: Definition, field: FieldSchema, data: Any) -> Any:
    """Return what to search a field with: vectors for texts if an embedding function fills it, else the data itself.

    Raises:
        as `with_vectors`.
    """
    function = definition.schema.embedding(field.name)
    if function is None or given_texts(data) is None:
        return data
    model = own_model(name, definition, function)
    return embed_queries(model.model, as_texts(field, data), field.dim, model.said)


def own_model(name: str, definition: Definition, function: Function) -> TextModel:
    """The model of a function, if it is the one that filled the field so far; else ModelMismatch."""
    model = function_model(definition.schema, function)
    check_fingerprint(name, model.target.name, definition.fingerprints.get(model.target.name), model.fingerprint)
    return model


def check_fingerprint(name: str, field: str, stored: str | None, own: str | None) -> None:
    """Raise ModelMismatch if both are known and differ."""
    if stored is not None and own is not None and stored != own:
        raise ModelMismatch(
            f"collection '{name}': field '{field}' was filled by the model {stored}, and this process has the model "
            f"{own}, whose vectors are not comparable; use the first, or change over with "
            f"client.reembed('{name}', field='{field}', ...)"
        )
