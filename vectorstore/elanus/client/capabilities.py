"""What this client does of what Milvus's does, told from the tables that the code itself goes by."""

from __future__ import annotations

from typing import Any

from elanus.analysis.capabilities import capabilities as analyzer_capabilities
from elanus.client.base import Base
from elanus.client.options import INSTEAD
from elanus.client.unsupported import UNSUPPORTED_METHODS
from elanus.engine.properties import PROPERTIES
from elanus.engine.properties import UNSUPPORTED as UNSUPPORTED_PROPERTIES
from elanus.filter.functions import SIGNATURES
from elanus.index import registry
from elanus.index.scalar import SCALAR_INDEXES
from elanus.schema.fields import OPTIONS, SUPPORTED, UNSUPPORTED_OPTIONS
from elanus.schema.functions import KINDS
from elanus.types import ConsistencyLevel, DataType


class Capabilities(Base):
    """The client's method that tells what it can."""

    def capabilities(self) -> dict[str, Any]:
        """What is supported and, with the way out, what of Milvus's client is not.

        Returns:
            Plain data: "methods", "arguments", "types", "field_options", "analyzers", "filter_functions", "indexes" (by
            type of field, with metrics and the ranges of parameters), "scalar_indexes", "functions", "properties",
            "consistency_levels". What is not supported is under "unsupported", by name, with what to do instead.
        """
        types = [t.name for t in DataType if t != DataType.NONE]
        return {
            "methods": {"supported": _methods(type(self)), "unsupported": dict(UNSUPPORTED_METHODS)},
            "arguments": {"unsupported": dict(INSTEAD)},
            "types": {
                "supported": [name for name in types if DataType[name] in SUPPORTED],
                "unsupported": [name for name in types if DataType[name] not in SUPPORTED],
            },
            "field_options": {"supported": list(OPTIONS), "unsupported": dict(UNSUPPORTED_OPTIONS)},
            "analyzers": analyzer_capabilities(),
            "filter_functions": {name: str(signature) for name, signature in SIGNATURES.items()},
            "indexes": {"supported": registry.capabilities(), "unsupported": dict(registry.UNSUPPORTED)},
            "scalar_indexes": {
                name: {
                    "types": sorted(t.name for t in entry.types),
                    "elements": sorted(t.name for t in entry.elements),
                    "json_paths": entry.paths,
                    "params": {key: str(param) for key, param in entry.params.items()},
                }
                for name, entry in SCALAR_INDEXES.items()
            },
            "functions": [kind.name for kind in KINDS],
            "properties": {
                "supported": {name: said for name, (_, said) in PROPERTIES.items()},
                "unsupported": dict(UNSUPPORTED_PROPERTIES),
            },
            "consistency_levels": [level.name for level in ConsistencyLevel],
        }


def _methods(client: type) -> list[str]:
    return sorted(name for name in dir(client) if not name.startswith("_") and callable(getattr(client, name)))
