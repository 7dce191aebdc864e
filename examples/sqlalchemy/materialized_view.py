"""Materialized views as SQLAlchemy classes, kept by the PostgreSQL extension mv_orchestrator."""

import datetime
import uuid

from sqlalchemy import exc, text

TYPED = (bytes, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)


class MaterializedViewMixin:
    """Names are written as in SQL: 'daily', 'mart.daily', 'mart."Daily Sums"'."""

    __mv_name__ = None
    __mv_select__ = None
    __mv_dependencies__ = ()  # names or classes
    __mv_unique_key__ = ()  # names of columns
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
    # mv_order() answers in qualified names: asked for one view, it tells which of ours that is.
    query = text(
        "SELECT given.name FROM unnest(CAST(:names AS text[])) given(name)"
        " CROSS JOIN LATERAL mv_order(ARRAY[given.name]) found"
        " JOIN mv_order(CAST(:names AS text[])) planned ON planned.name = found.name"
        " ORDER BY planned.step"
    )
    return [by_name[name] for name, in connection.execute(query, {"names": list(by_name)})]


def _call(connection, function, **arguments):
    written = ", ".join(f"{name} => :{name}" for name in arguments)
    return connection.execute(text(f"SELECT * FROM {function}({written})"), arguments).all()


def _literal_sql(select, dialect):
    class Compiler(dialect.statement_compiler):
        def render_literal_bindparam(self, bindparam, **keywords):
            if bindparam.required:  # or it would become NULL
                raise exc.CompileError(f"parameter {bindparam.key!r} has no value")
            return super().render_literal_bindparam(bindparam, **keywords)

        # SQLAlchemy renders these without their type, or, 1.4, not at all.
        def render_literal_value(self, value, type_):
            if not isinstance(value, TYPED):
                return super().render_literal_value(value, type_)
            if isinstance(value, bytes):
                return f"decode('{value.hex()}', 'hex')"
            return f"CAST('{value}' AS {type_.compile(dialect=dialect)})"

    sql = str(Compiler(dialect, select, compile_kwargs={"literal_binds": True}))
    # For such drivers percent signs are compiled doubled, and halved by the driver.
    return sql % () if dialect.paramstyle in ("format", "pyformat") else sql
