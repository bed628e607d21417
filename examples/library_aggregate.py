"""Somebody else's aggregate on the DynamoDB module: a library that lends books.

Nothing here knows of the inventory ledger. It is an ordinary `eventsourcing` application whose
environment names the persistence module. Run it against any DynamoDB API:

    AWS_ENDPOINT_URL=http://127.0.0.1:8000 python examples/library_aggregate.py
"""

from __future__ import annotations

import os
from typing import ClassVar
from uuid import UUID

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import IntegrityError, Tracking

from ledger.store.dynamodb_client import make_client
from ledger.store.tables import create_tables

PREFIX = os.environ.get("DYNAMODB_TABLE_PREFIX", "library")


class Book(Aggregate):
    """A book that one reader at a time can borrow."""

    @event("Added")
    def __init__(self, title: str) -> None:
        self.title = title
        self.reader: str | None = None

    @event("Borrowed")
    def borrow(self, reader: str) -> None:
        """Lend the book, unless somebody has it."""
        if self.reader is not None:
            msg = f"{self.reader} has {self.title}"
            raise ValueError(msg)
        self.reader = reader

    @event("Returned")
    def bring_back(self) -> None:
        """Take the book back."""
        self.reader = None


class Library(Application[UUID]):
    """Books, kept on DynamoDB."""

    env: ClassVar[dict[str, str]] = {
        "PERSISTENCE_MODULE": "ledger.store.dynamodb",
        "DYNAMODB_TABLE_PREFIX": PREFIX,
    }


def main() -> None:
    """Add a book, lend it, see that two can't both borrow it; read what happened, once."""
    create_tables(make_client(), PREFIX)
    library = Library()
    book = Book("Dubliners")
    library.save(book)

    mine: Book = library.repository.get(book.id)
    yours: Book = library.repository.get(book.id)
    mine.borrow("Anna")
    yours.borrow("Bert")
    library.save(mine)
    try:
        library.save(yours)
    except IntegrityError as error:
        print(f"Bert was too late: {error}")

    print(f"{library.repository.get(book.id).reader} reads {book.title}")
    print(f"It has {library.repository.get(book.id).version} events")
    try:
        library.repository.get(UUID(int=0))
    except AggregateNotFoundError:
        print("A book nobody added is not found")

    print("What is new since this was last run:")
    reader = library.factory.tracking_recorder()
    after = reader.max_tracking_id(library.name) or 0
    for told in library.notification_log.select(after + 1, limit=10):
        print(f"  {told.id}. {told.topic.rpartition(':')[2]}")
        reader.insert_tracking(Tracking(library.name, told.id))
    library.close()


if __name__ == "__main__":
    main()
