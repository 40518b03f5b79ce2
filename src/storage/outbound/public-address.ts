import { BlockList, isIP } from 'node:net';

/** IPv4 that is not somebody's public host: IANA's special-purpose registry (RFC 6890 and its updates), multicast and reserved. */
const NOT_PUBLIC_V4: [network: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** IPv6 is public only here: what maps, translates or stays inside (::ffff:0:0/96, 64:ff9b::/96, fc00::/7, fe80::/10) lies outside. */
const PUBLIC_V6: [network: string, prefix: number] = ['2000::', 3];

/** And of that not: protocol assignments with Teredo and ORCHID, documentation, and 6to4, which leads to any IPv4. */
const NOT_PUBLIC_V6: [network: string, prefix: number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const refused_v4 = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_V4) refused_v4.addSubnet(network, prefix, 'ipv4');
const public_v6 = new BlockList();
public_v6.addSubnet(...PUBLIC_V6, 'ipv6');
const refused_v6 = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_V6) refused_v6.addSubnet(network, prefix, 'ipv6');

/** Whether an address, as text without brackets, is one of the public internet. Anything that is no plain address is not. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  const version = isIP(address);
  if (version === 4) return !refused_v4.check(address, 'ipv4');
  return version === 6 && public_v6.check(address, 'ipv6') && !refused_v6.check(address, 'ipv6');
}
