"""Text to terms: analyzers described by Milvus's parameters, run by tantivy."""

from elanus.analysis.analyzer import Analyzer, EncodedTexts, make_analyzer

__all__ = ["Analyzer", "EncodedTexts", "make_analyzer"]
