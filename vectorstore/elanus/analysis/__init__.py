"""Text to terms: analyzers described by Milvus's parameters, run by tantivy."""

from elanus.analysis.analyzer import Analyzer, EncodedTexts, PlacedWords, make_analyzer
from elanus.analysis.fields import FieldAnalyzer, analyzer_of, check_analyzers

__all__ = [
    "Analyzer",
    "EncodedTexts",
    "FieldAnalyzer",
    "PlacedWords",
    "analyzer_of",
    "check_analyzers",
    "make_analyzer",
]
