#!/bin/sh
# Makes the secrets of docker-compose.production.yml, each in a file of ./secrets. What is there already stays.
# The folder is yours alone; the files can be read by all, for each container has a user of its own.
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
chmod 700 "$folder"

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
secret() { [ -s "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"; chmod 444 "$folder/$1"; }

secret secret_key "$(random)$(random)"
secret metrics_token "$(random)"
secret grafana_password "$(random)"
secret postgres_password "$(random)"
secret database_url "postgres://live:$(cat "$folder/postgres_password")@postgres:5432/live"
secret valkey_conf "requirepass $(random)"
secret redis_url "redis://:$(sed 's/^requirepass //' "$folder/valkey_conf")@valkey:6379/0"
echo "The secrets are in $folder."
