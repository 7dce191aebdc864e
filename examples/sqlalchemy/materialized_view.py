"""Materialized views as SQLAlchemy classes, kept by the PostgreSQL extension mv_orchestrator."""

import datetime
import uuid

from sqlalchemy import text


class MaterializedViewMixin:
    """Names are written as in SQL: 'daily', 'mart.daily', '"Odd name"'. Commit what you call here."""

    __mv_name__ = None
    __mv_select__ = None
    __mv_dependencies__ = ()  # names or classes
    __mv_unique_key__ = ()
    __mv_indexes__ = ()  # whole CREATE INDEX statements

    @classmethod
    def register(cls, connection):
        [row] = _call(
            connection,
            "mv_register",
            name=cls.__mv_name__,
            definition=_literal_sql(cls.__mv_select__, connection.dialect),
            depends_on=[getattr(each, "__mv_name__", each) for each in cls.__mv_dependencies__],
            unique_key=list(cls.__mv_unique_key__),
            indexes=list(cls.__mv_indexes__),
        )
        return row[0]

    @classmethod
    def create_mv(cls, connection, with_data=True):
        return _call(connection, "mv_create", name=cls.__mv_name__, with_data=with_data)

    @classmethod
    def refresh_mv(cls, connection, **options):  # scope, mode, on_error, on_overlap
        return _call(connection, "mv_refresh", name=cls.__mv_name__, **options)


def refresh_all_mvs(connection, names=None, **options):
    return _call(connection, "mv_refresh_all", names=names, **options)


def resolve_mv_refresh_order(connection, classes):
    by_name = {each.__mv_name__: each for each in classes}
    # mv_order() prints qualified names; asked for one view, it tells which name we gave it.
    rows = connection.execute(
        text(
            "SELECT given.name FROM mv_order(:names) planned JOIN (unnest(CAST(:names AS text[]))"
            " given(name) CROSS JOIN LATERAL mv_order(ARRAY[given.name]) found)"
            " ON found.name = planned.name ORDER BY planned.step"
        ),
        {"names": list(by_name)},
    )
    return [by_name[name] for name, in rows]


def _call(connection, function, **arguments):
    written = ", ".join(f"{name} => :{name}" for name in arguments)
    return connection.execute(text(f"SELECT * FROM {function}({written})"), arguments).all()


def _literal_sql(select, dialect):
    class Compiler(dialect.statement_compiler):
        # SQLAlchemy 1.4 has no literals for these types, 2.0 has some, but without their type.
        def render_literal_value(self, value, type_):
            if not isinstance(value, (datetime.date, datetime.time, datetime.timedelta, uuid.UUID)):
                return super().render_literal_value(value, type_)
            return f"CAST('{value}' AS {type_.compile(dialect=dialect)})"

    sql = str(Compiler(dialect, select, compile_kwargs={"literal_binds": True}))
    # What is compiled for such drivers has its percent signs doubled; they halve them again.
    return sql % () if dialect.paramstyle in ("format", "pyformat") else sql
