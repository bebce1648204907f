"""`calculate_output` of a multi grader: arithmetic over the scores, nothing else."""

import ast
import math
import operator
from collections.abc import Callable, Mapping

OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
SIGNS: dict[type[ast.unaryop], Callable[[float], float]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "log": math.log,
}
MAX_LENGTH = 1000


class FormulaFault(Exception):
    """The formula cannot be read, or has no value for these scores."""


def parse_formula(text: str) -> ast.expr:
    """The formula as a tree of numbers, names, operators and known functions.

    Raises:
        FormulaFault
    """
    if len(text) > MAX_LENGTH:
        raise FormulaFault(f"it is longer than {MAX_LENGTH} characters.")
    try:
        formula = ast.parse(text.strip().replace("^", "**"), mode="eval").body
        _check(formula)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaFault("it is no formula that can be read.") from error
    return formula


def evaluate(text: str, scores: Mapping[str, float]) -> float:
    """The value of the formula.

    Raises:
        FormulaFault
    """
    try:
        value = float(_value(parse_formula(text), scores))
    except (ArithmeticError, ValueError, TypeError, KeyError) as error:
        raise FormulaFault(f"it has no value here: {error}.") from error
    if not math.isfinite(value):
        raise FormulaFault("its value is no finite number.")
    return value


def _check(node: ast.expr) -> None:
    match node:
        case ast.Constant(value=int() | float()) | ast.Name():
            pass
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            _check(left)
            _check(right)
        case ast.UnaryOp(op=sign, operand=operand) if type(sign) in SIGNS:
            _check(operand)
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as inner, keywords=[]) if (
            name in FUNCTIONS
        ):
            for each in inner:
                _check(each)
        case _:
            words = ", ".join(FUNCTIONS)
            raise FormulaFault(f"only numbers, names, + - * / ^ and {words} may be in.")


def _value(node: ast.expr, scores: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return scores[name]
        case ast.BinOp(left=left, op=op, right=right):
            return OPERATORS[type(op)](_value(left, scores), _value(right, scores))
        case ast.UnaryOp(op=sign, operand=operand):
            return SIGNS[type(sign)](_value(operand, scores))
        case ast.Call(func=ast.Name(id=name), args=inner):
            return FUNCTIONS[name](*(_value(each, scores) for each in inner))
    raise FormulaFault("it is no formula that can be read.")
