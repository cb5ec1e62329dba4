#!/usr/bin/env bash
# Makes the secrets that can be made, below ops/secrets; what is there stays. Usage: ops/secrets.sh [single|stack]
set -euo pipefail
cd "$(dirname "$0")"
case "${1:-single}" in
  -h | --help) sed -n 2p "$0"; exit 0 ;;
  single | stack) ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
umask 077
mkdir -p secrets
cd secrets
# The folder is its owner's alone; in it a container's user may read.
put() {
  if [ -s "$1" ]; then cat > /dev/null; return; fi
  cat > "$1"
  chmod 0444 "$1"
  echo "made ops/secrets/$1"
}
random() { openssl rand -base64 "$1" | tr -d '\n=+/'; }

openssl rand -base64 32 | put master_key
[ "${1:-single}" = single ] && exit 0

random 30 | put mongo_password
random 30 | put redis_password
openssl rand -base64 700 | put mongo_keyfile
mongo=$(cat mongo_password)
members=mongo-1:27017,mongo-2:27017,mongo-3:27017
options='replicaSet=rs0&authSource=admin'
printf 'mongodb://lexichron:%s@%s/lexichron?%s' "$mongo" "$members" "$options" | put read_store
printf 'mongodb://lexichron:%s@%s/lexichron_keys?%s' "$mongo" "$members" "$options" | put keys
printf 'redis://:%s@redis:6379' "$(cat redis_password)" | put cache
# The password of a new EventStoreDB; change it there and here.
printf 'esdb://admin:changeit@eventstore-1:2113,eventstore-2:2113,eventstore-3:2113?tlsCAFile=/run/secrets/eventstore_ca' |
  put event_store

# An authority of our own for the event store's nodes.
if [ ! -s eventstore_ca ]; then
  openssl req -x509 -newkey rsa:3072 -nodes -days 1825 -keyout eventstore_ca_key -out eventstore_ca -subj '/CN=lexichron eventstore' 2> /dev/null
  for n in 1 2 3; do
    openssl req -newkey rsa:3072 -nodes -keyout "eventstore_${n}_key" -out request -subj '/CN=eventstore-node' 2> /dev/null
    printf 'subjectAltName=DNS:eventstore-%s,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' "$n" > extensions
    openssl x509 -req -in request -CA eventstore_ca -CAkey eventstore_ca_key -CAcreateserial -days 825 -extfile extensions \
      -out "eventstore_${n}_certificate" 2> /dev/null
    rm -f request extensions
  done
  chmod 0444 eventstore_ca eventstore_*_certificate eventstore_[123]_key
  echo 'made ops/secrets/eventstore_*'
fi
for each in mail tls_certificate tls_key; do
  [ -s "$each" ] || echo "ops/secrets/$each is yours to put there"
done
