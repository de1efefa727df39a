"""Screens that follow a conversation, and wrong tries to pair one."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the change."""
    op.create_table(
        "screens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("conversation_id", sa.String(), nullable=True),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code"),
        sa.UniqueConstraint("value"),
    )
    with op.batch_alter_table("screens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_screens_conversation_id"), ["conversation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_screens_person_id"), ["person_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_screens_shown_at"), ["shown_at"], unique=False)

    op.create_table(
        "screen_tries",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("screen_tries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_screen_tries_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_screen_tries_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("screen_tries")
    op.drop_table("screens")
