#!/bin/sh
# Makes the keystores of the TLS tests again: a root (ca.pem) and servers signed by it.
set -eu
cd "$(dirname "$0")"
rm -f ./*.p12 ca.pem
k() { keytool -storetype PKCS12 -storepass changeit -keypass changeit -keyalg RSA -keysize 2048 "$@"; }
k -genkeypair -keystore root.p12 -alias root -dname CN=test-root -ext bc:c -startdate 2020/01/01 -validity 36500
keytool -exportcert -rfc -keystore root.p12 -storepass changeit -alias root > ca.pem
server() { # name, subject alternative names, days valid from 2020-01-01
  k -genkeypair -keystore "$1.p12" -alias server -dname "CN=$1"
  keytool -certreq -keystore "$1.p12" -storepass changeit -alias server |
    keytool -gencert -rfc -keystore root.p12 -storepass changeit -alias root -ext "san=$2" \
      -startdate 2020/01/01 -validity "$3" > "$1.pem"
  keytool -importcert -noprompt -keystore "$1.p12" -storepass changeit -alias root -file ca.pem
  keytool -importcert -noprompt -keystore "$1.p12" -storepass changeit -alias server -file "$1.pem"
  rm "$1.pem"
}
server good dns:localhost,ip:127.0.0.1 36500
server expired dns:localhost,ip:127.0.0.1 30
server elsewhere dns:elsewhere.test 36500
server named dns:localhost 36500
server addressed ip:127.0.0.1 36500
rm root.p12
