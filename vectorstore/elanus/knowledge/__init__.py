"""For people with documents and questions: texts in, ranked passages out, written with the public client only."""

from elanus.knowledge.base import KnowledgeBase
from elanus.knowledge.documents import Document
from elanus.knowledge.evaluating import Evaluation
from elanus.knowledge.hits import Hit, Hits

__all__ = ["Document", "Evaluation", "Hit", "Hits", "KnowledgeBase"]
