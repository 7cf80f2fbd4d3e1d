import django.utils.timezone
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def all_read_so_far(apps, schema_editor):
    """Marks begin today: nobody wants everything ever said to be new."""
    Member = apps.get_model("live_sessions", "Member")
    LiveSession = apps.get_model("live_sessions", "LiveSession")
    newest = LiveSession.objects.filter(pk=OuterRef("session_id")).values("last_n")
    Member.objects.update(last_read_n=Subquery(newest))


class Migration(migrations.Migration):
    dependencies = [("live_sessions", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="member",
            name="last_read_n",
            field=models.PositiveIntegerField(
                default=0, help_text="Number of the last message that this member saw."
            ),
        ),
        migrations.AlterField(
            model_name="message",
            name="created_at",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.RunPython(all_read_so_far, migrations.RunPython.noop),
    ]
