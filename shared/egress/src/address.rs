//! Which addresses are the public internet. Everything else is somebody's inside, and refused.
//!
//! The tables follow the special-purpose registries of IANA (RFC 6890 and its updates), and add the addresses at which clouds
//! serve credentials. The first row that holds an address names the reason.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::refusal::Refusal;

/// Refuses every address that is not a public unicast one.
pub fn check_ip(ip: IpAddr) -> Result<(), Refusal> {
    match why_refused(ip) {
        Some(why) => Err(Refusal::Address { ip, why }),
        None => Ok(()),
    }
}

/// What is wrong with an address, to be read after "is"; `None` for a public one.
pub(crate) fn why_refused(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => why_v4_refused(ip),
        IpAddr::V6(ip) => why_v6_refused(ip),
    }
}

fn why_v4_refused(ip: Ipv4Addr) -> Option<&'static str> {
    let same_prefix = |base: Ipv4Addr, length: u32| (ip.to_bits() ^ base.to_bits()).leading_zeros() >= length;
    REFUSED_V4.iter().find(|(base, length, _)| same_prefix(*base, *length)).map(|(_, _, why)| *why)
}

fn why_v6_refused(ip: Ipv6Addr) -> Option<&'static str> {
    let same_prefix = |base: Ipv6Addr, length: u32| (ip.to_bits() ^ base.to_bits()).leading_zeros() >= length;
    let listed =
        REFUSED_V6.iter().find(|(base, length, _)| same_prefix(*base, *length)).map(|(_, _, why)| *why);
    listed
        .or_else(|| (!same_prefix(GLOBAL_UNICAST, 3)).then_some("outside the global unicast range"))
        .or_else(|| is_isatap(ip).then_some("an ISATAP address, which embeds an IPv4 address"))
}

/// RFC 5214: the interface identifier is `0:5efe` or `200:5efe` and then the IPv4 address, under any prefix.
fn is_isatap(ip: Ipv6Addr) -> bool {
    let interface = (ip.to_bits() >> 32) & 0xffff_ffff;
    matches!(interface, 0x0000_5efe | 0x0200_5efe)
}

/// The only range from which IANA gives out public IPv6 addresses.
const GLOBAL_UNICAST: Ipv6Addr = v6([0x2000, 0, 0, 0, 0, 0, 0, 0]);

const REFUSED_V4: &[(Ipv4Addr, u32, &str)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 32, "unspecified"),
    (Ipv4Addr::new(0, 0, 0, 0), 8, "on this network only"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 100, 100, 200), 32, "a cloud's metadata service"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier's customers (CGNAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud's platform service"),
    (Ipv4Addr::new(169, 254, 169, 254), 32, "a cloud's metadata service"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(255, 255, 255, 255), 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

const REFUSED_V6: &[(Ipv6Addr, u32, &str)] = &[
    (v6([0, 0, 0, 0, 0, 0, 0, 0]), 128, "unspecified"),
    (v6([0, 0, 0, 0, 0, 0, 0, 1]), 128, "loopback"),
    (v6([0, 0, 0, 0, 0, 0, 0, 0]), 96, "IPv4-compatible, which embeds an IPv4 address"),
    (v6([0, 0, 0, 0, 0, 0xffff, 0, 0]), 96, "IPv4-mapped, which embeds an IPv4 address"),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0]), 96, "IPv4-translated, which embeds an IPv4 address"),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0]), 96, "NAT64, which embeds an IPv4 address"),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0]), 48, "local NAT64, which embeds an IPv4 address"),
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0]), 64, "discard-only"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 32, "Teredo, which embeds an IPv4 address"),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0]), 48, "for benchmarks"),
    (v6([0x2001, 0x10, 0, 0, 0, 0, 0, 0]), 28, "an ORCHID, which is no address"),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0]), 28, "an ORCHID, which is no address"),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0]), 23, "reserved for protocols"),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]), 32, "for documentation"),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0]), 16, "6to4, which embeds an IPv4 address"),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0]), 20, "for documentation"),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]), 128, "a cloud's metadata service"),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]), 128, "a cloud's metadata service"),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0]), 7, "private (unique local)"),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10, "link-local"),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0]), 10, "site-local"),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0]), 8, "multicast"),
];

const fn v6(segments: [u16; 8]) -> Ipv6Addr {
    let [a, b, c, d, e, f, g, h] = segments;
    Ipv6Addr::new(a, b, c, d, e, f, g, h)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(ip: &str) -> Option<&'static str> {
        why_refused(ip.parse().unwrap())
    }

    #[test]
    fn the_first_and_last_address_of_each_range_is_refused_and_its_neighbours_are_not() {
        for (before, first, last, after) in [
            ("", "0.0.0.0", "0.255.255.255", "1.0.0.0"),
            ("9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"),
            ("100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"),
            ("126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"),
            ("169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"),
            ("172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"),
            ("191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"),
            ("192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"),
            ("192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"),
            ("192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"),
            ("198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"),
            ("198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"),
            ("203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"),
            ("223.255.255.255", "224.0.0.0", "255.255.255.255", ""),
            ("168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17"),
            ("", "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"),
            ("2000:ffff::", "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"),
            ("2001:db7:ffff::", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"),
            ("2001:ffff::", "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"),
            ("3ffe:ffff::", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"),
            ("3fff:ffff::", "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""),
        ] {
            assert!(why(first).is_some(), "{first}");
            assert!(why(last).is_some(), "{last}");
            for neighbour in [before, after] {
                assert!(neighbour.is_empty() || why(neighbour).is_none(), "{neighbour}");
            }
        }
    }

    #[test]
    fn the_narrowest_reason_is_given() {
        for (ip, reason) in [
            ("0.0.0.0", "unspecified"),
            ("169.254.169.254", "a cloud's metadata service"),
            ("169.254.170.2", "link-local"),
            ("255.255.255.255", "broadcast"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4-compatible, which embeds an IPv4 address"),
            ("::ffff:8.8.8.8", "IPv4-mapped, which embeds an IPv4 address"),
            ("fd00:ec2::254", "a cloud's metadata service"),
            ("fd00:ec2::253", "private (unique local)"),
            ("5f00::1", "outside the global unicast range"),
            ("2a00:1450:4001::5efe:a00:1", "an ISATAP address, which embeds an IPv4 address"),
            ("2a00:1450:4001:0:200:5efe:a00:1", "an ISATAP address, which embeds an IPv4 address"),
        ] {
            assert_eq!(why(ip), Some(reason), "{ip}");
        }
    }

    #[test]
    fn public_addresses_pass() {
        for ip in ["1.1.1.1", "8.8.8.8", "93.184.215.14", "2606:4700::1111", "2a00:1450:4001:80f::200e"] {
            assert_eq!(check_ip(ip.parse().unwrap()), Ok(()), "{ip}");
        }
    }

    #[test]
    fn inv_d1_nothing_that_the_standard_library_knows_as_internal_passes() {
        let internal = |ip: &Ipv4Addr| {
            ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_unspecified()
        };
        let spread = (0..=u32::MAX).step_by(65_521).map(Ipv4Addr::from_bits);
        let mut seen = 0;
        for ip in spread.filter(internal) {
            seen += 1;
            assert!(check_ip(ip.into()).is_err(), "{ip}");
            assert!(check_ip(ip.to_ipv6_mapped().into()).is_err(), "{ip}");
            assert!(check_ip(ip.to_ipv6_compatible().into()).is_err(), "{ip}");
        }
        assert!(seen > 4_000, "the spread reached only {seen} internal addresses");
    }
}
