//! IP addresses and networks.

use std::net::{IpAddr, Ipv6Addr};

use super::super::budget::{EvalError, EvalStop};
use super::super::value::{CelValue, EvalResult};

/// Parses an address or a network, or reports whether a text is one.
pub(crate) fn parse(name: &str, text: &CelValue) -> EvalResult {
    let text = match (name, text) {
        ("ip", CelValue::Cidr(address, _)) => return Ok(CelValue::Ip(*address)),
        (_, CelValue::Text(text)) => text,
        _ => return Err(EvalStop::Unknown),
    };
    let parsed = match name {
        "ip" | "isIP" => address(text).map(CelValue::Ip),
        _ => network(text).map(|(address, length)| CelValue::Cidr(address, length)),
    };
    match name {
        "isIP" | "isCIDR" => Ok(CelValue::Bool(parsed.is_some())),
        _ => parsed.ok_or(EvalStop::Fault(EvalError::Conversion)),
    }
}

/// Reports whether an address is written in its canonical form.
pub(super) fn is_canonical(text: &CelValue) -> EvalResult {
    let CelValue::Text(text) = text else { return Err(EvalStop::Unknown) };
    let address = address(text).ok_or(EvalStop::Fault(EvalError::Conversion))?;
    Ok(CelValue::Bool(address.to_string() == **text))
}

/// Calls a function of an address or a network.
pub(crate) fn member(name: &str, receiver: &CelValue, rest: &[CelValue]) -> EvalResult {
    match (receiver, rest) {
        (CelValue::Ip(address), []) => call_on_address(name, *address),
        (CelValue::Cidr(address, length), rest) => call_on_network(name, *address, *length, rest),
        _ => Err(EvalStop::Unknown),
    }
}

fn call_on_address(name: &str, address: IpAddr) -> EvalResult {
    Ok(match name {
        "family" => CelValue::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => CelValue::Bool(address.is_unspecified()),
        "isLoopback" => CelValue::Bool(address.is_loopback()),
        "isLinkLocalUnicast" => CelValue::Bool(is_link_local(address)),
        "isLinkLocalMulticast" => CelValue::Bool(match address {
            IpAddr::V4(address) => address.octets().starts_with(&[224, 0, 0]),
            IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
        }),
        "isGlobalUnicast" => CelValue::Bool(
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || is_link_local(address)
                || matches!(address, IpAddr::V4(address) if address.is_broadcast())),
        ),
        _ => return Err(EvalStop::Unknown),
    })
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn call_on_network(name: &str, network: IpAddr, length: u8, rest: &[CelValue]) -> EvalResult {
    let contains_address = |other: IpAddr| {
        other.is_ipv4() == network.is_ipv4() && masked(other, length) == masked(network, length)
    };
    Ok(match (name, rest) {
        ("prefixLength", []) => CelValue::Int(length.into()),
        ("ip", []) => CelValue::Ip(network),
        ("masked", []) => CelValue::Cidr(masked(network, length), length),
        ("containsIP", [CelValue::Ip(other)]) => CelValue::Bool(contains_address(*other)),
        ("containsIP", [CelValue::Text(text)]) => {
            CelValue::Bool(contains_address(address(text).ok_or(EvalStop::Fault(EvalError::Conversion))?))
        }
        ("containsCIDR", [CelValue::Cidr(other, narrower)]) => {
            CelValue::Bool(*narrower >= length && contains_address(*other))
        }
        ("containsCIDR", [CelValue::Text(text)]) => {
            let (other, narrower) = self::network(text).ok_or(EvalStop::Fault(EvalError::Conversion))?;
            CelValue::Bool(narrower >= length && contains_address(other))
        }
        _ => return Err(EvalStop::Unknown),
    })
}

/// Parses an address. Kubernetes accepts neither zones nor IPv4-mapped IPv6 addresses.
fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok().filter(|address| !is_mapped(*address))
}

fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (start, length) = text.rsplit_once('/')?;
    let start = address(start)?;
    let is_number =
        length.bytes().all(|byte| byte.is_ascii_digit()) && (length == "0" || !length.starts_with('0'));
    let length: u8 = length.parse().ok().filter(|_| is_number)?;
    (length <= if start.is_ipv4() { 32 } else { 128 }).then_some((start, length))
}

fn is_mapped(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// Returns the address with all bits after the prefix cleared.
fn masked(address: IpAddr, length: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length.into())).unwrap_or(0);
            IpAddr::V4((address.to_bits() & mask).into())
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length.into())).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}
