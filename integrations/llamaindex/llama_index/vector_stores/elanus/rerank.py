"""A node postprocessor that lets a model reorder what was retrieved."""

from __future__ import annotations

from typing import Any

from llama_index.core.bridge.pydantic import ConfigDict, Field, PrivateAttr
from llama_index.core.callbacks import CBEventType, EventPayload
from llama_index.core.instrumentation import get_dispatcher  # type: ignore[attr-defined]
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle

from elanus import InvalidArgument, check_reranker, rerank_scores

dispatcher = get_dispatcher(__name__)


class ElanusRerank(BaseNodePostprocessor):
    """Order nodes by a model's scores, best first.

    Args:
        model: any object with `rerank(query, documents)` that gives one score per document, growing with likeness, or
            results with `index` and `score`.
            `to_dict` leaves it out, so give it to `from_dict` again.
        top_n: how many nodes to keep; None keeps all.
        model_name: what traces call the model; by default its class.

    A document is a node's text with the metadata that embeddings see. Scores replace those of the retrieval; the
    async form runs on a thread.
    """

    model_config = ConfigDict(extra="forbid")

    top_n: int | None = Field(default=None, gt=0, description="How many nodes to keep; None keeps all.")
    model_name: str = Field(description="The name of the model, for traces.")
    _model: Any = PrivateAttr()

    def __init__(
        self, model: Any = None, top_n: int | None = None, model_name: str | None = None, **fields: Any
    ) -> None:
        if model is None:
            raise InvalidArgument("ElanusRerank: give model=, an object with rerank(query, documents)")
        check_reranker(model, "ElanusRerank: model")
        fields |= {"top_n": top_n, "model_name": model_name or type(model).__name__}
        super().__init__(**fields)
        self._model = model

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex serialises the class."""
        return "ElanusRerank"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise InvalidArgument("ElanusRerank: give query_str= or query_bundle=; a reranker needs the query")
        query = query_bundle.query_str
        dispatcher.event(
            ReRankStartEvent(
                query=query_bundle, nodes=nodes, top_n=self.top_n or len(nodes), model_name=self.model_name
            )
        )
        payload: dict[str, Any] = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: self.model_name,
            EventPayload.QUERY_STR: query,
            EventPayload.TOP_K: self.top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload=payload) as event:
            texts = [n.node.get_content(MetadataMode.EMBED) for n in nodes]
            scores = rerank_scores(self._model, query, texts).tolist()
            order = sorted(range(len(nodes)), key=lambda i: -scores[i])[: self.top_n]
            ranked = [NodeWithScore(node=nodes[i].node, score=scores[i]) for i in order]
            event.on_end(payload={EventPayload.NODES: ranked})
        dispatcher.event(ReRankEndEvent(nodes=ranked))
        return ranked
