//! IP addresses and networks.

use std::net::{IpAddr, Ipv6Addr};

use super::super::budget::{Fault, Stop};
use super::super::eval::Outcome;
use super::super::value::Value;

/// Parses an address or a network, or reports whether a text is one.
pub fn parse(name: &str, text: &Value) -> Outcome {
    let text = match (name, text) {
        ("ip", Value::Cidr(address, _)) => return Ok(Value::Ip(*address)),
        (_, Value::Text(text)) => text,
        _ => return Err(Stop::Unknown),
    };
    let parsed = match name {
        "ip" | "isIP" => address(text).map(Value::Ip),
        _ => network(text).map(|(address, length)| Value::Cidr(address, length)),
    };
    match name {
        "isIP" | "isCIDR" => Ok(Value::Bool(parsed.is_some())),
        _ => parsed.ok_or(Stop::Fault(Fault::Conversion)),
    }
}

/// Reports whether an address is written in its canonical form.
pub(super) fn is_canonical(text: &Value) -> Outcome {
    let Value::Text(text) = text else { return Err(Stop::Unknown) };
    let address = address(text).ok_or(Stop::Fault(Fault::Conversion))?;
    Ok(Value::Bool(address.to_string() == **text))
}

/// Calls a function of an address or a network.
pub fn member(name: &str, receiver: &Value, rest: &[Value]) -> Outcome {
    match (receiver, rest) {
        (Value::Ip(address), []) => call_on_address(name, *address),
        (Value::Cidr(address, length), rest) => call_on_network(name, *address, *length, rest),
        _ => Err(Stop::Unknown),
    }
}

fn call_on_address(name: &str, address: IpAddr) -> Outcome {
    Ok(match name {
        "family" => Value::Int(if address.is_ipv4() { 4 } else { 6 }),
        "isUnspecified" => Value::Bool(address.is_unspecified()),
        "isLoopback" => Value::Bool(address.is_loopback()),
        "isLinkLocalUnicast" => Value::Bool(is_link_local(address)),
        "isLinkLocalMulticast" => Value::Bool(match address {
            IpAddr::V4(address) => address.octets().starts_with(&[224, 0, 0]),
            IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
        }),
        "isGlobalUnicast" => Value::Bool(
            !(address.is_unspecified()
                || address.is_loopback()
                || address.is_multicast()
                || is_link_local(address)
                || matches!(address, IpAddr::V4(address) if address.is_broadcast())),
        ),
        _ => return Err(Stop::Unknown),
    })
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn call_on_network(name: &str, network: IpAddr, length: u8, rest: &[Value]) -> Outcome {
    let contains_address = |other: IpAddr| {
        other.is_ipv4() == network.is_ipv4() && masked(other, length) == masked(network, length)
    };
    Ok(match (name, rest) {
        ("prefixLength", []) => Value::Int(length.into()),
        ("ip", []) => Value::Ip(network),
        ("masked", []) => Value::Cidr(masked(network, length), length),
        ("containsIP", [Value::Ip(other)]) => Value::Bool(contains_address(*other)),
        ("containsIP", [Value::Text(text)]) => {
            Value::Bool(contains_address(address(text).ok_or(Stop::Fault(Fault::Conversion))?))
        }
        ("containsCIDR", [Value::Cidr(other, narrower)]) => {
            Value::Bool(*narrower >= length && contains_address(*other))
        }
        ("containsCIDR", [Value::Text(text)]) => {
            let (other, narrower) = self::network(text).ok_or(Stop::Fault(Fault::Conversion))?;
            Value::Bool(narrower >= length && contains_address(other))
        }
        _ => return Err(Stop::Unknown),
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
