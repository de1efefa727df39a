"""Proofs with their time, who speaks at a shared address, links and pairing codes, how people like to be reached."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "proofs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("aloud", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("proofs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proofs_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_proofs_person_id"), ["person_id"], unique=False)
        batch_op.create_index("proofs_address", ["kind", "value"], unique=False)
    op.execute(
        "INSERT INTO proofs (id, person_id, kind, value, conversation_id, method, aloud, at) "
        "SELECT id, person_id, kind, value, NULL, 'before proofs were kept', false, proven_at "
        "FROM addresses WHERE proven_at IS NOT NULL"
    )

    op.create_table(
        "presences",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "value", "person_id"),
    )
    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presences_person_id"), ["person_id"], unique=False)

    op.create_table(
        "links",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=True),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("token"),
    )
    with op.batch_alter_table("links", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_links_made_at"), ["made_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_links_person_id"), ["person_id"], unique=False)

    op.create_table(
        "link_tries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("link_tries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_link_tries_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_link_tries_person_id"), ["person_id"], unique=False)

    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reach", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("quiet_from", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("quiet_until", sa.Integer(), nullable=True))
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("origin", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_codes_origin"), ["origin"], unique=False)


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("codes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_codes_origin"))
        batch_op.drop_column("origin")
    with op.batch_alter_table("people", schema=None) as batch_op:
        batch_op.drop_column("quiet_until")
        batch_op.drop_column("quiet_from")
        batch_op.drop_column("reach")
    for table in ("link_tries", "links", "presences", "proofs"):
        op.drop_table(table)
