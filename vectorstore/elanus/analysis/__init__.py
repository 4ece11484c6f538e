"""Text to terms: analyzers described by Milvus's parameters, run by tantivy."""

from elanus.analysis.analyzer import Analyzer, EncodedTexts, PlacedWords, make_analyzer
from elanus.analysis.fields import analyzer_of

__all__ = ["Analyzer", "EncodedTexts", "PlacedWords", "analyzer_of", "make_analyzer"]
