"""The names and numbers shared with Milvus: data types, function types, consistency levels, load states."""

from __future__ import annotations

from enum import IntEnum


class DataType(IntEnum):
    """Field types, numbered as Milvus numbers them."""

    NONE = 0
    BOOL = 1
    INT8 = 2
    INT16 = 3
    INT32 = 4
    INT64 = 5
    FLOAT = 10
    DOUBLE = 11
    STRING = 20
    VARCHAR = 21
    ARRAY = 22
    JSON = 23
    GEOMETRY = 24
    TEXT = 25
    TIMESTAMPTZ = 26
    BINARY_VECTOR = 100
    FLOAT_VECTOR = 101
    FLOAT16_VECTOR = 102
    BFLOAT16_VECTOR = 103
    SPARSE_FLOAT_VECTOR = 104
    INT8_VECTOR = 105
    STRUCT = 201


class FunctionType(IntEnum):
    """Schema functions, numbered as Milvus numbers them."""

    UNKNOWN = 0
    BM25 = 1
    TEXTEMBEDDING = 2
    RERANK = 3


class ConsistencyLevel(IntEnum):
    """How fresh a read must be: Strong and Bounded see every commit made before it, Session every own one.

    What else Session and Eventually may leave out is at most a second old. The default is Bounded.
    """

    Strong = 0
    Session = 1
    Bounded = 2
    Eventually = 3
    Customized = 4


class LoadState(IntEnum):
    """Whether a collection is searchable."""

    NotExist = 0
    NotLoad = 1
    Loading = 2
    Loaded = 3

    def __str__(self) -> str:
        return f"<LoadState: {self.name}>"
