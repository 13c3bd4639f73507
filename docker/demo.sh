#!/usr/bin/env bash
# Makes a tenant, an account and a mail, and waits until the relay has it.
# API: where the proxy answers; GMP_API_TOKEN: its token; RELAY_HOST, RELAY_PORT: a relay without TLS.
set -euo pipefail

call() { curl -fsS --max-time 10 -H "X-API-Token: $GMP_API_TOKEN" -H 'Content-Type: application/json' "$API$@"; }

id=demo-$(date +%s)
call /tenant -d '{"id": "demo"}'
call /account -d '{"id": "relay", "tenant_id": "demo", "host": "'"$RELAY_HOST"'", "port": '"$RELAY_PORT"', "use_tls": false}'
call /commands/add-messages -d '{"messages": [{
  "id": "'"$id"'", "tenant_id": "demo", "account_id": "relay",
  "from": "Shop <shop@example.com>", "to": ["ann@example.org"], "subject": "Hello", "body": "Hi Ann"}]}'
for ((i = 0; i < 60; i++)); do
  message=$(call "/messages/$id?tenant_id=demo")
  case $message in
    *'"sent_ts":'[0-9]*)
      printf '\n%s was sent\n' "$id"
      exit 0
      ;;
  esac
  sleep 0.5
done
printf '\n%s was not sent: %s\n' "$id" "$message"
exit 1
