#!/usr/bin/env bash
# Writes a migration: what services/contract/tables/ has and the migrations so far have not.
#   scripts/migration.sh 0002 "Consent ledger"
set -euo pipefail
cd "$(dirname "$0")/.."

revision=${1:?"usage: scripts/migration.sh REVISION MESSAGE"}
message=${2:?"usage: scripts/migration.sh REVISION MESSAGE"}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export KENTERING_DATABASE_URL=sqlite:///$folder/compare.db

.venv/bin/alembic upgrade head
.venv/bin/alembic revision --autogenerate --rev-id "$revision" --message "$message"
file=$(echo migrations/versions/"$revision"_*.py)
sed -i '/# ### .* Alembic/d' "$file"
.venv/bin/ruff format --quiet "$file"
.venv/bin/ruff check --quiet --fix "$file"
.venv/bin/ruff format --quiet "$file"
