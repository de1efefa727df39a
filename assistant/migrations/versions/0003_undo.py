"""What a merge changed, so that it can be undone, and who acted."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the change."""
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("actor", sa.String(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("before", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("journal", schema=None) as batch_op:
        batch_op.drop_column("before")
        batch_op.drop_column("actor")
