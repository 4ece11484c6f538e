"""From the names in a filter to the fields of a schema, and what may be done with each."""

from __future__ import annotations

from dataclasses import replace

from elanus.errors import FilterError, did_you_mean
from elanus.filter.conditions import Arith, Const, Element, Field, Length, Moved, Operand, Path
from elanus.filter.excerpt import Span, wrong
from elanus.filter.parse import parse
from elanus.filter.scalars import BOOL, LIST, NUMBER, STRING, TIMESTAMP, kind_of
from elanus.filter.tree import Name
from elanus.filter.writing import RESERVED
from elanus.schema.collection import DYNAMIC_FIELD, CollectionSchema
from elanus.schema.fields import FLOATS, INTEGERS, FieldSchema
from elanus.schema.structs import nested_name
from elanus.types import DataType

ANY_KIND = "json"
KIND_OF_TYPE = {
    DataType.BOOL: BOOL,
    DataType.VARCHAR: STRING,
    DataType.JSON: ANY_KIND,
    DataType.TIMESTAMPTZ: TIMESTAMP,
    **dict.fromkeys(INTEGERS | FLOATS, NUMBER),
}
NULLS = ("null", "NULL", "Null", "None", "nil")


def resolve(text: str, name: Name, schema: CollectionSchema) -> Field | Element | Path:
    """Return what a name stands for: a declared field, an array's element, a JSON path, or a dynamic key.

    Raises:
        FilterError: no such field, or one that cannot be filtered or indexed like this.
    """
    field = declared(schema, name.name)
    if field is not None:
        return _declared(text, name, field)
    if name.name == DYNAMIC_FIELD and name.keys and str(name.keys[0]).lower() in RESERVED:
        field = declared(schema, str(name.keys[0]))
        if field is not None:
            return _declared(text, replace(name, name=field.name, keys=name.keys[1:]), field)
    if name.inner:
        raise wrong(text, name.span, f'a key is written in quotes: {name.name}["{name.inner}"]')
    if name.name in NULLS and not name.keys:
        raise wrong(text, name.span, f"'{name.name}' is no value; write 'is null' or 'is not null'")
    if schema.enable_dynamic_field:
        keys = name.keys if name.name == DYNAMIC_FIELD else (name.name, *name.keys)
        return Path(DYNAMIC_FIELD, keys)
    known = [f.name for f in schema.fields if not f.is_vector]
    hint = did_you_mean(name.name, known) or f"; fields are {', '.join(known)}"
    raise wrong(text, name.span, f"no field '{name.name}', and the collection has no dynamic field{hint}")


def declared(schema: CollectionSchema, name: str) -> FieldSchema | None:
    """Return the declared field of that name."""
    return next((f for f in schema.fields if f.name == name), None)


def struct_member(text: str, span: Span, array: FieldSchema, name: str | None) -> Field:
    """Return a field of the structs in an array.

    Raises:
        FilterError: there is no such field, none was named, or it cannot be filtered.
    """
    inner = {f.name: f for f in array.struct_fields or ()}
    if name is None or name not in inner:
        hint = did_you_mean(name or "", inner) or f"; they have {', '.join(inner)}"
        said = f"have no field '{name}'" if name else "are compared by a field"
        raise wrong(text, span, f"the structs in '{array.name}' {said}{hint}")
    if inner[name].dtype not in KIND_OF_TYPE:
        raise wrong(text, span, f"the {inner[name].dtype.name} field '{array.name}[{name}]' cannot be filtered")
    return Field(name, inner[name].dtype)


def _of_structs(text: str, name: Name, array: FieldSchema) -> Field | Element:
    if not name.inner:
        ways = f"match_any({array.name}, $[field] ...), {array.name}[field] or {array.name}[0][field]"
        raise wrong(text, name.span, f"the struct array '{array.name}' is asked by 'is null', {ways}")
    member = struct_member(text, name.span, array, name.inner)
    inner = Field(nested_name(array.name, member.name), member.dtype, is_array=True, struct=array.name)
    if not name.keys:
        return inner
    if len(name.keys) == 1 and isinstance(name.keys[0], int):
        return Element(inner, name.keys[0])
    raise wrong(
        text, name.span, f"the struct array '{array.name}' takes one index, as in {array.name}[0][{name.inner}]"
    )


def _declared(text: str, name: Name, field: FieldSchema) -> Field | Element | Path:
    if field.struct_fields is not None:
        return _of_structs(text, name, field)
    if name.inner:
        raise wrong(text, name.span, f"'{field.name}' holds no structs; a key is written in quotes: [\"{name.inner}\"]")
    if field.dtype == DataType.JSON:
        return Path(field.name, name.keys)
    if field.dtype == DataType.ARRAY and field.element_type is not None:
        array = Field(field.name, field.element_type, is_array=True)
        if not name.keys:
            return array
        if len(name.keys) == 1 and isinstance(name.keys[0], int):
            return Element(array, name.keys[0])
        raise wrong(text, name.span, f"the ARRAY field '{field.name}' takes one index, as in {field.name}[0]")
    if field.dtype not in KIND_OF_TYPE:
        raise wrong(text, name.span, f"the {field.dtype.name} field '{field.name}' cannot be filtered")
    if name.keys:
        raise wrong(text, name.span, f"the {field.dtype.name} field '{field.name}' cannot be indexed with []")
    return Field(field.name, field.dtype)


def named_path(text: str, schema: CollectionSchema) -> Path:
    """The JSON path that a text like `meta["a"]["b"]` names, as a filter would.

    Raises:
        FilterError: it is no name, or not one of a JSON path.
    """
    node = parse(text)
    operand = resolve(text, node, schema) if isinstance(node, Name) else None
    if not isinstance(operand, Path) or not operand.keys:
        raise FilterError(f'{text!r} names no place in a JSON field or in the dynamic field; write field["key"]')
    return operand


def kind_of_operand(operand: Operand) -> str | None:
    """Return the kind of an operand's values: bool, number, string, list, or json, which may be any."""
    if isinstance(operand, Const):
        return kind_of(operand.value)
    if isinstance(operand, Path):
        return ANY_KIND
    if isinstance(operand, (Length, Arith)):
        return NUMBER
    if isinstance(operand, Moved):
        return TIMESTAMP
    if isinstance(operand, Field) and operand.is_array:
        return LIST
    return KIND_OF_TYPE[operand.dtype]


def describe(operand: Operand) -> str:
    """Name an operand in an error."""
    if isinstance(operand, Const):
        shown = str(list(operand.value)) if isinstance(operand.value, tuple) else repr(operand.value)
        return f"the {kind_of(operand.value)} {shown if len(shown) <= 60 else shown[:56] + ' ...'}"
    if isinstance(operand, Field):
        return (
            f"the {f'ARRAY of {operand.dtype.name}' if operand.is_array else operand.dtype.name} field '{operand.name}'"
        )
    if isinstance(operand, Element):
        return f"the {operand.dtype.name} element {operand.array.name}[{operand.index}]"
    if isinstance(operand, Path):
        return f"the JSON path {operand.field}{''.join(f'[{key!r}]' for key in operand.keys)}"
    return "an array's length" if isinstance(operand, Length) else "a calculation"


def is_floating(operand: Operand) -> bool:
    """Whether an operand certainly has floating values."""
    if isinstance(operand, Const):
        return isinstance(operand.value, float)
    if isinstance(operand, Arith):
        return operand.op == "**" or is_floating(operand.left) or is_floating(operand.right)
    return isinstance(operand, (Field, Element)) and operand.dtype in FLOATS
