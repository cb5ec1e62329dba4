#!/usr/bin/env bash
# Brings the stack up, or to another image, node after node; a node that does not get ready is rolled back. Usage: ops/deploy.sh IMAGE
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
  -h | --help) sed -n 2p "$0"; exit 0 ;;
  '' | -*) sed -n 2p "$0" >&2; exit 2 ;;
esac
ops/secrets.sh stack
for each in mail tls_certificate tls_key; do
  [ -s "ops/secrets/$each" ] || { echo "ops/secrets/$each is missing: docs/containers.md says what it is" >&2; exit 1; }
done
if grep -q 'admin:changeit@' ops/secrets/event_store; then
  echo 'ops/secrets/event_store still has the login that EventStoreDB ships with: change it there, then here' >&2
fi
# Volumes belong to one machine, so each member has its own by a label; whoever has set them is left alone. Three machines get one each.
machines=$(docker node ls --filter role=worker --format '{{.ID}}'; docker node ls --filter role=manager --format '{{.ID}}')
for n in 1 2 3; do
  [ -n "$(docker node ls --filter "node.label=lexichron-$n=true" --format '{{.ID}}')" ] && continue
  count=$(wc -l <<< "$machines")
  machine=$(sed -n "$(((n - 1) % count + 1))p" <<< "$machines")
  docker node update --label-add "lexichron-$n=true" "$machine" > /dev/null
  echo "member $n of each engine stands on $machine from now on" >&2
done
IMAGE=$1 exec docker stack deploy --compose-file compose.prod.yaml --with-registry-auth "${STACK:-lexichron}"
