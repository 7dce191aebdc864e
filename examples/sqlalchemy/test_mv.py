"""Runs against the server of DATABASE_URL or of the PG* variables, which has the extension.

Everything is in a schema of its own, which is gone at the end, with the registrations.
"""

import datetime
import os
import unittest
import uuid
from decimal import Decimal

from sqlalchemy import (Boolean, Column, Date, DateTime, Float, Integer, Interval, LargeBinary, Numeric,
                        String, bindparam, case, cast, create_engine, exc, func, literal, select,
                        text)
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session, declarative_base

from materialized_view import MaterializedViewMixin, refresh_all_mvs, resolve_mv_refresh_order

SCHEMA = "mv_sqlalchemy_test"
Base = declarative_base()
# With a metadata of its own: create_all() would make tables of the views.
ViewBase = declarative_base()


class Person(Base):
    __tablename__ = "person"
    __table_args__ = {"schema": SCHEMA}
    id = Column(Integer, primary_key=True)
    name = Column(String, nullable=False)
    born = Column(Date)
    active = Column(Boolean, nullable=False)


class Visit(Base):
    __tablename__ = "visit"
    __table_args__ = {"schema": SCHEMA}
    id = Column(Integer, primary_key=True)
    person_id = Column(Integer, nullable=False)
    day = Column(Date, nullable=False)
    cost = Column(Numeric(10, 2), nullable=False)


class VisitTotals(MaterializedViewMixin, ViewBase):
    __tablename__ = "Visit Totals"
    __table_args__ = {"schema": SCHEMA}
    person_id = Column(Integer, primary_key=True)
    visits = Column(Integer)
    cost = Column(Numeric)

    __mv_name__ = f'{SCHEMA}."Visit Totals"'
    __mv_select__ = (
        select(Visit.person_id, func.count().label("visits"), func.sum(Visit.cost).label("cost"))
        .where(Visit.day >= datetime.date(2024, 1, 1))
        .group_by(Visit.person_id)
    )
    __mv_unique_key__ = ["person_id"]


class ActivePerson(MaterializedViewMixin, ViewBase):
    __tablename__ = "active_person"
    __table_args__ = {"schema": SCHEMA}
    id = Column(Integer, primary_key=True)
    name = Column(String)

    __mv_name__ = f"{SCHEMA}.active_person"
    __mv_select__ = select(Person.id, Person.name).where(
        Person.active.is_(True), Person.name.not_like("%(test)%")
    )
    __mv_indexes__ = [f"CREATE INDEX active_name ON {SCHEMA}.active_person USING btree (name)"]


class Summary(MaterializedViewMixin, ViewBase):
    __tablename__ = "summary"
    __table_args__ = {"schema": SCHEMA}
    size = Column(String, primary_key=True)
    people = Column(Integer)
    cost = Column(Numeric)

    __mv_name__ = f"{SCHEMA}.summary"
    __mv_select__ = (
        select(
            case((VisitTotals.cost > Decimal("99.50"), "big"), else_="small").label("size"),
            func.count().label("people"),
            func.sum(VisitTotals.cost).label("cost"),
        )
        .join(ActivePerson, ActivePerson.id == VisitTotals.person_id)
        .group_by(text("1"))
    )
    __mv_dependencies__ = [VisitTotals, f"{SCHEMA}.active_person"]  # a class, a name


VIEWS = [Summary, ActivePerson, VisitTotals]  # not in order
ORDER = [VisitTotals, ActivePerson, Summary]  # "Visit Totals" sorts before active_person


def names(classes):
    return [each.__mv_name__ for each in classes]


def view(name, query, **attributes):
    members = {f"__mv_{key}__": value for key, value in attributes.items()}
    return type(name, (MaterializedViewMixin,),
                {"__mv_name__": f"{SCHEMA}.{name}", "__mv_select__": query, **members})


def rows(result):
    return sorted(tuple(row) for row in result)


class MaterializedViewTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.engine = create_engine(os.environ.get("DATABASE_URL", "postgresql+psycopg2://"),
                                   future=True)
        cls.addClassCleanup(cls.engine.dispose)

    def setUp(self):
        self.execute(f"CREATE SCHEMA {SCHEMA}")
        self.addCleanup(self.execute, f"DROP SCHEMA {SCHEMA} CASCADE")
        Base.metadata.create_all(self.engine)
        with Session(self.engine) as session:
            session.add_all(Person(id=i, name=f"person {i}", active=i % 3 > 0,
                                   born=datetime.date(1950 + i, 1, 1)) for i in range(1, 30))
            session.add(Person(id=30, name="100% (test)", active=True))
            session.add_all(Visit(person_id=i % 31, day=datetime.date(2023, 12, 1 + i % 31),
                                  cost=Decimal(i) / 4) for i in range(300))
            session.add_all(Visit(person_id=i % 31, day=datetime.date(2024, 1, 1 + i % 31),
                                  cost=Decimal(i) / 4) for i in range(300))
            session.commit()
        with self.engine.begin() as connection:
            for each in VIEWS:
                each.register(connection)

        self.addCleanup(self.execute, "SELECT mv_unregister(name) FROM unnest(:names) name",
                        names=names(VIEWS))

    def execute(self, query, **parameters):
        with self.engine.begin() as connection:
            connection.execute(text(query), parameters)

    def create_all(self):
        with self.engine.begin() as connection:
            Summary.create_mv(connection)

    def assert_current(self):
        """The mapped classes read what their queries return."""
        with Session(self.engine) as session:
            for each in VIEWS:
                columns = [column.key for column in each.__table__.columns]
                stored = [[getattr(row, column) for column in columns]
                          for row in session.execute(select(each)).scalars()]
                self.assertTrue(stored)
                self.assertEqual(rows(stored), rows(session.execute(each.__mv_select__)), each)

    def error_of(self, call, *arguments, **options):
        with self.assertRaises(exc.DBAPIError) as raised:
            call(*arguments, **options)
        return raised.exception.orig

    def test_register_returns_the_qualified_name(self):
        with self.engine.begin() as connection:
            self.assertEqual(VisitTotals.register(connection), f'{SCHEMA}."Visit Totals"')

    def test_create_makes_what_is_read_first(self):
        with self.engine.begin() as connection:
            actions = Summary.create_mv(connection)
        self.assertEqual([tuple(row) for row in actions],
                         [(name, "created") for name in names(ORDER)])
        self.assert_current()
        with self.engine.begin() as connection:
            indexes = connection.execute(text("SELECT indexdef FROM pg_indexes"
                                              " WHERE schemaname = :schema"), {"schema": SCHEMA})
            definitions = [definition for definition, in indexes]
        self.assertIn(ActivePerson.__mv_indexes__[0], definitions)
        self.assertTrue(any('"Visit Totals"' in each and each.startswith("CREATE UNIQUE INDEX")
                            for each in definitions))

    def test_refresh_all_brings_the_views_up_to_date(self):
        self.create_all()
        with Session(self.engine) as session:
            session.add(Visit(person_id=2, day=datetime.date(2024, 5, 1), cost=Decimal("1000.25")))
            session.get(Person, 3).active = True
            session.delete(session.get(Person, 4))
            session.commit()
        with self.assertRaises(AssertionError):
            self.assert_current()
        with self.engine.begin() as connection:
            steps = refresh_all_mvs(connection, names(VIEWS), mode="plain")
        self.assertEqual([(step.step, step.name, step.status, step.mode) for step in steps],
                         [(i + 1, name, "refreshed", "plain")
                          for i, name in enumerate(names(ORDER))])
        self.assert_current()

    def test_refresh_of_one_view_and_what_it_reads(self):
        self.create_all()
        with Session(self.engine) as session:
            session.add(Visit(person_id=2, day=datetime.date(2024, 5, 1), cost=Decimal(5)))
            session.commit()
        with self.engine.begin() as connection:
            [step] = VisitTotals.refresh_mv(connection, mode="concurrent")
            self.assertEqual((step.status, step.mode), ("refreshed", "concurrent"))
            steps = Summary.refresh_mv(connection, scope="upstream")
            self.assertEqual([step.name for step in steps], names(ORDER))
        self.assert_current()

    def test_order_is_given_in_classes(self):
        with self.engine.connect() as connection:
            self.assertEqual(resolve_mv_refresh_order(connection, VIEWS), ORDER)
            self.assertEqual(resolve_mv_refresh_order(connection, [Summary]), [Summary])
            self.assertEqual(resolve_mv_refresh_order(connection, []), [])

    def test_order_understands_names_without_a_schema(self):
        with self.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL search_path = {SCHEMA}, public"))
            short = view("short", None)
            short.__mv_name__ = "SUMMARY"  # folded to lower case, as in SQL
            self.assertEqual(resolve_mv_refresh_order(connection, [short, VisitTotals]),
                             [VisitTotals, short])

    def test_a_cycle_is_the_servers_error(self):
        ring = [view("ring_a", select(literal(1).label("x")), dependencies=[f"{SCHEMA}.ring_b"]),
                view("ring_b", select(literal(1).label("x")), dependencies=[f"{SCHEMA}.ring_a"])]
        for call in (lambda connection: resolve_mv_refresh_order(connection, ring),
                     lambda connection: refresh_all_mvs(connection, names(ring)),
                     ring[0].create_mv):
            with self.engine.connect() as connection:  # without a commit
                for each in ring:
                    each.register(connection)
                error = self.error_of(call, connection)
            self.assertEqual(error.pgcode, "42P19")
            self.assertIn(f"{SCHEMA}.ring_a -> {SCHEMA}.ring_b -> {SCHEMA}.ring_a",
                          error.diag.message_primary)

    def test_nothing_is_registered_by_surprise(self):
        stranger = view("stranger", select(literal(1).label("x")))
        for call in (stranger.create_mv, stranger.refresh_mv,
                     lambda connection: refresh_all_mvs(connection, [stranger.__mv_name__]),
                     lambda connection: resolve_mv_refresh_order(connection, [stranger])):
            with self.engine.connect() as connection:
                self.assertEqual(self.error_of(call, connection).pgcode, "42704")

    def test_a_failed_refresh_names_the_view(self):
        inverse = view("inverse", select((1 / Person.id).label("x")))
        with self.engine.connect() as connection:  # without a commit
            inverse.register(connection)
            inverse.create_mv(connection)
            connection.execute(text(f"UPDATE {SCHEMA}.person SET id = 0 WHERE id = 5"))
            error = self.error_of(inverse.refresh_mv, connection)
        self.assertEqual((error.pgcode, error.diag.schema_name, error.diag.table_name),
                         ("22012", SCHEMA, "inverse"))

    def test_literals(self):
        utc = datetime.timezone.utc
        queries = {
            "quotes": select(literal("it's \"quoted\" ''").label("x")),
            "backslash": select(literal("a\\b \\' c").label("x")),
            "other characters": select(literal(":x ::y %(z)s $1 \u00e4\U0001f600\n").label("x")),
            "like": select(Person.id).where(Person.name.like("p%")),
            "contains": select(Person.id).where(Person.name.contains("0% (t", autoescape=True)),
            "modulo": select((Person.id % 7).label("100%"), literal("50%").label("x")),
            "text": select(text("id % 3 AS x")).select_from(Person).where(text("name LIKE 'p%'")),
            "date": select(literal(datetime.date(2024, 2, 29)).label("x")),
            "dates": select(Visit.id).where(Visit.day.between(datetime.date(2023, 12, 20),
                                                              datetime.date(2024, 1, 7))),
            "timestamp": select(literal(datetime.datetime(2024, 2, 29, 1, 2, 3, 456)).label("x")),
            "timestamptz": select(literal(datetime.datetime(2024, 2, 29, 1, tzinfo=utc),
                                          DateTime(timezone=True)).label("x")),
            "time": select(literal(datetime.time(1, 2, 3)).label("x")),
            "interval": select(literal(datetime.timedelta(days=-3, seconds=5), Interval).label("x")),
            "uuid": select(cast(literal(uuid.UUID(int=2**99), UUID(as_uuid=True)), String)
                           .label("x")),
            "bytes": select(func.md5(literal(b"\x00\\'%\xff", LargeBinary)).label("x")),
            "decimals": select(literal(Decimal("-12345678901234567890.5000")).label("x"),
                               (Visit.cost * Decimal("1.25")).label("y"), Visit.id),
            "numbers": select(literal(-5).label("x"), literal(2**40).label("y"),
                              cast(0.5, Float).label("z"), (5 - literal(-5)).label("minus")),
            "numbers in": select(Person.name).where(Person.id.in_([1, 2, 40])),
            "strings in": select(Person.id).where(Person.name.in_(["person 1", "it's", "50%"])),
            "dates in": select(Visit.id).where(Visit.day.in_([datetime.date(2024, 1, 2),
                                                              datetime.date(2024, 1, 3)])),
            "empty in": select(Person.id).where(Person.id.in_([])),
            "not in": select(Person.id).where(Person.id.not_in([1, 2])),
            "booleans": select(literal(True).label("x"), literal(False).label("y"), Person.id)
                        .where(Person.active == True),  # noqa: E712
            "null": select(literal(None).label("x"), cast(None, Date).label("y")),
            "is null": select(Person.id).where(Person.born == None),  # noqa: E711
        }
        for name, query in queries.items():
            with self.subTest(name), self.engine.connect() as connection:  # without a commit
                expected = connection.execute(query).all()
                self.assertTrue(expected or name == "empty in")
                each = view("literals", query)
                each.register(connection)
                each.create_mv(connection)
                stored = connection.execute(text(f"SELECT * FROM {each.__mv_name__}")).all()
                self.assertEqual(sorted(map(repr, stored)), sorted(map(repr, expected)))

    def test_a_parameter_without_a_value_is_an_error(self):
        each = view("unbound", select(Person.id).where(Person.name == bindparam("wanted")))
        with self.engine.connect() as connection:
            with self.assertRaisesRegex(exc.CompileError, "wanted"):
                each.register(connection)


if __name__ == "__main__":
    unittest.main()
