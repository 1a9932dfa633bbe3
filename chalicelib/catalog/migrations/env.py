"""How Alembic runs our migrations: on the connection that `migrate` hands it, inside the transaction that it began."""

from alembic import context

from chalicelib.catalog.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
context.run_migrations()
