"""Whatever an event holds, its bytes tell it again; and time never runs backwards in a stream."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo
from pydantic_core import from_json, to_json

from ledger.codec import Stamp, check_seal, decode, encode
from ledger.domain.events import CATALOGUE
from ledger.domain.values import MAX_TEXT_LENGTH
from ledger.service import ReceiptLine, ReceiveStock
from ledger.service.clock import instant
from tests.support.processes import new_site

of_each = settings(max_examples=max(10, settings().max_examples // 5))
"""There are many kinds of events, and each is tried this often."""

anything = st.characters(exclude_categories=["Cs"])
texts = st.text(anything, min_size=1, max_size=20)
stamps = st.builds(
    Stamp,
    st.datetimes(timezones=st.just(UTC)).map(instant),
    st.uuids(version=4).map(str),
    texts,
    st.sampled_from(("local", "eu-west-1")),
    st.integers(1, 100),
)
places = st.tuples(st.sampled_from(("stock:A@main", "order:o-1")), st.integers(1, 2**31))
extras = st.dictionaries(
    st.text(anything, min_size=1).map(lambda name: f"future_{name}"),
    st.recursive(
        st.booleans() | st.integers(-(2**63), 2**63) | texts,
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
        max_leaves=5,
    ),
    max_size=3,
)


def values_of(hint: Any, rule: object = None) -> st.SearchStrategy[Any]:
    """Values that an event's field of this type accepts, its bounds and patterns included."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return values_of(parts[0], parts[1])
    if origin in (Union, UnionType):
        return st.one_of(*(values_of(part) for part in parts))
    if origin is tuple:
        return st.lists(values_of(parts[0]), max_size=3).map(tuple)
    if hint is NoneType:
        return st.none()
    if hint is bool:
        return st.booleans()
    if hint is int:
        assert isinstance(rule, FieldInfo)
        bounds = {name: getattr(m, name) for m in rule.metadata for name in ("ge", "le")
                  if hasattr(m, name)}  # fmt: skip
        return st.integers(bounds.get("ge"), bounds.get("le", 2**53 - 1))
    if hint is str:
        assert isinstance(rule, StringConstraints)
        assert isinstance(rule.pattern, str)
        pattern = re.compile(rule.pattern.removesuffix("$") + r"\Z", re.ASCII)
        longest = rule.max_length or MAX_TEXT_LENGTH
        return st.from_regex(pattern, alphabet=anything).filter(lambda s: 0 < len(s) <= longest)
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    assert issubclass(hint, BaseModel)
    return models_of(hint)


def models_of(kind: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Models of a class, all fields drawn."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {name: values_of(hints[name]) for name in kind.model_fields}
    return st.fixed_dictionaries(fields).map(lambda drawn: kind(**drawn))


def test_the_strategy_draws_every_field_there_is() -> None:
    for kind in CATALOGUE.values():
        hints = get_type_hints(kind, include_extras=True)
        named = {name for name, hint in hints.items() if get_origin(hint) is not ClassVar}
        assert named - {"model_config"} == set(kind.model_fields)


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@of_each
@given(data=st.data(), stamp=stamps, place=places)
def test_an_event_comes_back_as_it_went_in(
    name: str, data: st.DataObject, stamp: Stamp, place: tuple[str, int]
) -> None:
    event = data.draw(models_of(CATALOGUE[name]))
    told, stored = encode(*place, event, event_id="id", stamp=stamp, prev="ab" * 32)
    check_seal(stored)
    again = decode(stored)
    assert again == told
    assert again.event == event
    assert again.data == told.data
    assert encode(*place, again.event, event_id="id", stamp=stamp, prev="ab" * 32)[1] == stored
    assert (stored.originator_id, stored.originator_version, stored.topic) == (*place, name)
    assert stored.state == to_json(from_json(stored.state)), "compact JSON, keys as they are"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
@of_each
@given(data=st.data(), stamp=stamps, future=extras)
def test_fields_of_the_future_survive(
    name: str, data: st.DataObject, stamp: Stamp, future: dict[str, Any]
) -> None:
    """At the top of an event and in every model inside it."""
    event = data.draw(models_of(CATALOGUE[name]))
    known: dict[str, Any] = event.model_dump(mode="json", exclude_none=True)
    extended = sprinkled(known, future)
    newer = CATALOGUE[name].model_validate(extended)
    _, stored = encode("stock:A@main", 1, newer, event_id="id", stamp=stamp, prev="")
    again = decode(stored)
    assert again.data == extended
    assert again.event.model_dump(mode="json", exclude_none=True) == extended


def sprinkled(value: Any, future: dict[str, Any]) -> Any:
    """The JSON value with the fields added to every object in it."""
    if isinstance(value, dict):
        return {**{k: sprinkled(v, future) for k, v in value.items()}, **future}
    return [sprinkled(v, future) for v in value] if isinstance(value, list) else value


@given(stamps, texts, texts)
def test_names_that_look_like_json_or_seals_do_no_harm(stamp: Stamp, one: str, other: str) -> None:
    actor = f'{one}","hash":"{"0" * 64}"}}{other}'
    event = CATALOGUE["StockAdjusted"].model_validate(
        {"delta": 1, "reason": "x", "balance": {}, "note": actor}
    )
    sealed = Stamp(stamp.at, stamp.command, actor, stamp.region, stamp.size)
    told, stored = encode("stock:A@main", 1, event, event_id="id", stamp=sealed, prev="")
    check_seal(stored)
    assert (decode(stored).actor, decode(stored).hash) == (actor, told.hash)


@given(
    st.lists(
        st.tuples(
            st.integers(-10, 10).map(lambda us: timedelta(microseconds=us)),
            st.lists(st.sampled_from(("A", "B", "C")), min_size=1, max_size=4),
        ),
        min_size=2,
        max_size=10,
    )
)
def test_time_goes_on_in_every_stream_whatever_the_clock_says(
    readings: list[tuple[timedelta, list[str]]],
) -> None:
    with new_site(("main",)) as site:
        process, start, newest = site.start(), site.now, ""
        for offset, skus in readings:
            site.now = start + offset
            lines = tuple(ReceiptLine(sku, "main", 1) for sku in skus)
            events = process.send(ReceiveStock(lines)).events
            assert events[0].at >= instant(site.now)
            if instant(site.now) > newest:
                assert events[0].at == instant(site.now)
            newest = max(newest, *(recorded.at for recorded in events))


moments = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.astimezone(UTC))


@given(moments, moments)
def test_text_order_of_instants_is_time_order(one: datetime, other: datetime) -> None:
    assert len(instant(one)) == 27
    assert datetime.fromisoformat(instant(one)) == one
    assert (instant(one) < instant(other)) == (one < other)
