from django.db import migrations

from sessions import search_schema


def create(apps, schema_editor):
    search_schema.create(schema_editor.connection)


def drop(apps, schema_editor):
    search_schema.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("live_sessions", "0003_invitations")]

    operations = [migrations.RunPython(create, drop)]
