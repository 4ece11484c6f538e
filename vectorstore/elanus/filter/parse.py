"""Tokens to a syntax tree, with the precedence of Milvus's grammar.

From loose to tight: `or`, `and`, `|`, `^`, `&`, `== !=`, `< <= > >=`, `in`, `<< >>`, `+ -`, `* / %`, the unary
`not ! - + ~`, `**`, `like =~ !~`, `exists`, `is null`. So `not` takes one operand only: `not (a == 1)` needs its
parentheses, and so does `(a & 1) == 1`.
"""

from __future__ import annotations

from functools import lru_cache

from elanus.errors import FilterError, did_you_mean
from elanus.filter.excerpt import Span, wrong
from elanus.filter.functions import SIGNATURES
from elanus.filter.moments import Interval, interval, moment
from elanus.filter.tokens import END, KEYWORDS, LITERAL, NAME, Token, tokenise
from elanus.filter.tree import (
    Binary,
    Call,
    Chain,
    Duration,
    EachElement,
    ListOf,
    Literal,
    Logic,
    Member,
    Name,
    Node,
    NullTest,
    Template,
    Unary,
)

MAX_DEPTH = 100
CACHED_LENGTH = 4_096

LOGIC = {"or": 1, "and": 2}
LOOSE = {"|": 3, "^": 4, "&": 5}
COMPARISONS = {"==": 6, "!=": 6, "<": 7, "<=": 7, ">": 7, ">=": 7}
RELATIONS = {"<": "<", "<=": "<", ">": ">", ">=": ">"}
MEMBER, UNARY = 8, 12
ARITHMETIC = {**LOOSE, "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11, "**": 13}
BINARY = {**COMPARISONS, **ARITHMETIC, "like": 14, "=~": 14, "!~": 14}
EXISTS = 15

TIMES = {"iso": moment, "ISO": moment, "interval": interval, "INTERVAL": interval}
HINTS = {"=": "equality is written '=='", "<>": "inequality is written '!='"}


def parse(text: str) -> Node:
    """Return the syntax tree of a filter that is not blank; short filters are remembered.

    Raises:
        FilterError: not a sentence of the grammar, or nested deeper than MAX_DEPTH.
        NotSupported: a construct of Milvus's grammar that this version does not have.
    """
    return _remembered(text) if len(text) <= CACHED_LENGTH else Parser(text).whole()


@lru_cache(maxsize=1_024)
def _remembered(text: str) -> Node:
    return Parser(text).whole()


class Parser:
    """One pass over the tokens, by precedence climbing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenise(text)
        self.at = 0
        self.depth = 0
        self.height = 0

    def whole(self) -> Node:
        """Parse everything, or raise at the first token that does not belong."""
        node = self.expression(0)
        if self.token.kind != END:
            raise self.unexpected("expected an operator or the end of the filter")
        return node

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def accept(self, kind: str) -> bool:
        if self.tokens[self.at].kind != kind:
            return False
        self.at += 1
        return True

    def expect(self, kind: str, purpose: str) -> Token:
        if self.token.kind != kind:
            raise self.unexpected(f"expected '{kind}' {purpose}")
        return self.take()

    def span(self, start: int) -> Span:
        """From `start` to the end of the token just taken."""
        return start, self.tokens[self.at - 1].end

    def expression(self, tightest: int) -> Node:
        """Parse operators that bind tighter than `tightest`."""
        self.depth += 1
        self.check_depth(self.depth)
        start = self.token.start
        left = self.operand()
        height = self.height
        while True:
            operator = self.token.kind
            if BINARY.get(operator, 0) > tightest:
                left = self.binary(left, start, operator)
            elif operator in ("in", "not") and tightest < MEMBER:
                left = self.member(left, start)
            elif LOGIC.get(operator, 0) > tightest:
                left = self.logic(left, start, operator)
            else:
                break
            height = max(height, self.height) + 1
            self.check_depth(height)
        self.height = height
        self.depth -= 1
        return left

    def check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise wrong(self.text, self.token.span, f"the filter is nested deeper than {MAX_DEPTH} levels")

    def binary(self, left: Node, start: int, operator: str) -> Node:
        self.take()
        right = self.expression(BINARY[operator])
        height = self.height
        following = self.token.kind
        if operator not in RELATIONS or following not in RELATIONS:
            return Binary(operator, left, right, self.span(start))
        if RELATIONS[operator] != RELATIONS[following]:
            raise self.unexpected("both signs of a chained comparison must point the same way")
        self.take()
        last = self.expression(BINARY[following])
        self.height = max(height, self.height)
        if self.token.kind in RELATIONS:
            raise self.unexpected("a chained comparison has two signs; join more by 'and'")
        return Chain(left, operator, right, following, last, self.span(start))

    def member(self, left: Node, start: int) -> Node:
        negated = self.accept("not")
        if not self.accept("in"):
            raise self.unexpected("expected 'in' after 'not'")
        values = self.expression(MEMBER)
        return Member(left, values, negated, self.span(start))

    def logic(self, left: Node, start: int, operator: str) -> Node:
        parts, height = [left], 0
        while self.accept(operator):
            parts.append(self.expression(LOGIC[operator]))
            height = max(height, self.height)
        self.height = height
        return Logic(operator, tuple(parts), self.span(start))

    def operand(self) -> Node:
        token = self.token
        self.height = 1
        if token.kind == LITERAL:
            self.take()
            return Literal(token.value, token.span, token.exact)
        if token.kind == NAME:
            return self.named()
        parser = PREFIXES.get(token.kind)
        if parser is None:
            raise self.unexpected("expected a field, a value or '('")
        return parser(self)

    def named(self) -> Node:
        token = self.take()
        if self.token.kind == "(":
            return self.call(token)
        if isinstance(self.token.value, str) and token.text in TIMES:
            return self.time(token)
        name = self.path(token)
        if self.token.text not in ("is", "IS"):
            return name
        self.take()
        negated = self.accept("not")
        if self.token.text not in ("null", "NULL"):
            raise self.unexpected("expected 'is null' or 'is not null'")
        self.take()
        return NullTest(name, negated, False, self.span(token.start))

    def time(self, token: Token) -> Node:
        text = self.take()
        try:
            value = TIMES[token.text](text.value)
        except ValueError as error:
            raise wrong(self.text, text.span, str(error)) from None
        span = self.span(token.start)
        return Duration(value, span) if isinstance(value, Interval) else Literal(value, span)

    def path(self, token: Token) -> Name:
        keys: list[str | int] = []
        while self.accept("["):
            key = self.take()
            if key.kind == NAME:
                self.expect("]", "after the field of a struct")
                return Name(token.text, tuple(keys), self.span(token.start), key.text)
            if not isinstance(key.value, (str, int)) or isinstance(key.value, bool) or not key.exact:
                raise wrong(self.text, key.span, "expected a key in quotes or an index")
            keys.append(key.value)
            self.expect("]", "after a key or an index")
        return Name(token.text, tuple(keys), self.span(token.start))

    def element(self) -> Node:
        start, field = self.take().start, None
        if self.accept("["):
            if self.token.kind != NAME:
                raise self.unexpected("expected the name of a struct's field, without quotes")
            field = self.take().text
            self.expect("]", "after the field of a struct")
        return EachElement(field, self.span(start))

    def call(self, token: Token) -> Node:
        name = token.text.lower()
        if name not in SIGNATURES or token.text not in (name, name.upper()):
            known = sorted(SIGNATURES)
            hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
            raise wrong(self.text, token.span, f"no function '{token.text}'{hint}")
        self.take()
        args, options, height = [self.expression(0)], dict[str, Node](), self.height
        while self.accept(","):
            if self.token.kind == NAME and self.tokens[self.at + 1].kind == "=":
                self.option(name, options)
            elif options:
                raise self.unexpected(f"expected name=value, as after every option of {name}")
            else:
                args.append(self.expression(0))
            height = max(height, self.height)
        self.expect(")", f"at the end of {name}")
        signature = SIGNATURES[name]
        if not signature.least <= len(args) <= signature.most:
            raise wrong(self.text, self.span(token.start), f"{name} takes {signature}, not {len(args)}")
        self.height = height + 1
        return Call(name, tuple(args), self.span(token.start), tuple(options.items()))

    def option(self, function: str, options: dict[str, Node]) -> None:
        """Parse `name=value` at the end of a function's arguments, and note it."""
        token, signature = self.token, SIGNATURES[function]
        name = token.text.lower()
        if name not in signature.options or token.text not in (name, name.upper()):
            hint = f"; it takes {signature.named}" if signature.options else ""
            raise wrong(self.text, token.span, f"{function} has no option '{token.text}'{hint}")
        if name in options:
            raise wrong(self.text, token.span, f"{name} is given twice")
        self.at += 2
        options[name] = self.expression(0)

    def group(self) -> Node:
        self.take()
        node = self.expression(0)
        self.expect(")", "to close '('")
        return node

    def list_of(self) -> Node:
        start = self.take().start
        items: list[Node] = []
        while self.token.kind != "]":
            items.append(self.expression(0))
            if not self.accept(","):
                break
        self.expect("]", "at the end of the list")
        self.height = 2
        return ListOf(tuple(items), self.span(start))

    def template(self) -> Node:
        start = self.take().start
        name = self.expect_name()
        self.expect("}", "after the name of a parameter")
        return Template(name, self.span(start))

    def expect_name(self) -> str:
        if self.token.kind != NAME:
            raise self.unexpected("expected the name of a parameter in braces")
        return self.take().text

    def unary(self) -> Node:
        token = self.take()
        operand = self.expression(UNARY)
        self.height += 1
        return Unary(token.kind, operand, self.span(token.start))

    def exists(self) -> Node:
        start = self.take().start
        operand = self.expression(EXISTS)
        if not isinstance(operand, Name):
            raise wrong(self.text, operand.span, "'exists' takes a JSON path or a dynamic key")
        return NullTest(operand, True, True, self.span(start))

    def unexpected(self, expected: str) -> FilterError:
        """The error that the current token does not belong here."""
        token, before = self.token, self.tokens[self.at - 1] if self.at else None
        sign = (before.text if before else "") + token.text
        found = "the end of the filter" if token.kind == END else f"'{token.text[:40]}'"
        hint = HINTS.get(token.text) or HINTS.get(sign) or ""
        if not hint and token.kind == NAME and token.text.lower() in KEYWORDS:
            hint = f"did you mean '{token.text.lower()}'?"
        return wrong(self.text, token.span, f"{expected}, found {found}{'; ' if hint else ''}{hint}")


PREFIXES = {
    "(": Parser.group,
    "[": Parser.list_of,
    "{": Parser.template,
    "not": Parser.unary,
    "-": Parser.unary,
    "+": Parser.unary,
    "~": Parser.unary,
    "exists": Parser.exists,
    "$": Parser.element,
}
