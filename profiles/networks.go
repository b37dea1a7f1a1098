package profiles

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Networks says which addresses a profile may be used from.
//
// The most specific network that holds the address decides, and of equals the one
// that denies. An address in none is refused where any network is permitted. So
// all these do what they look like, in whatever order they stand:
//
//	permit = ["10.0.0.0/8"]
//	permit = ["10.0.0.0/8"]  deny = ["10.1.0.0/16"]
//	permit = ["10.0.0.0/8"]  deny = ["0.0.0.0/0"]      as manager.conf has it
//
// Asterisk (ast_apply_acl in main/acl.c) takes the last rule that matches and
// permits what none does; with lists of their own for permit and deny there is no
// last rule. Clients of unix sockets have no address: the word "unix" stands for
// them.
type Networks struct {
	Permit, Deny []Network
}

// A Network is a range of addresses, or all clients of unix sockets.
type Network struct {
	Prefix netip.Prefix // invalid for unix sockets
}

// Permits tells whether clients of that address may log in; the zero Addr is that
// of unix sockets. IPv4 addresses mapped into IPv6 count as what they are.
func (n Networks) Permits(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	permitted, denied := longest(n.Permit, addr), longest(n.Deny, addr)
	if permitted < 0 && denied < 0 {
		return len(n.Permit) == 0
	}
	return permitted > denied
}

// longest returns the bits of the most specific network that holds addr, or -1.
func longest(networks []Network, addr netip.Addr) int {
	bits := -1
	for _, n := range networks {
		switch {
		case !n.Prefix.IsValid() && !addr.IsValid():
			return 0
		case n.Prefix.IsValid() && n.Prefix.Contains(addr):
			bits = max(bits, n.Prefix.Bits())
		}
	}
	return bits
}

// within tells whether outer permits every address that n permits.
func (n Networks) within(outer Networks) bool {
	all := slices.Concat(n.Permit, n.Deny, outer.Permit, outer.Deny)
	return (!n.Permits(netip.Addr{}) || outer.Permits(netip.Addr{})) &&
		n.withinOf(outer, netip.PrefixFrom(netip.IPv4Unspecified(), 0), all) &&
		n.withinOf(outer, netip.PrefixFrom(netip.IPv6Unspecified(), 0), all)
}

// withinOf is within for the addresses of p, which it halves until none of the
// networks is a part of what is left: all of its addresses are alike then.
func (n Networks) withinOf(outer Networks, p netip.Prefix, networks []Network) bool {
	var parts []Network
	for _, part := range networks {
		if part.Prefix.Bits() > p.Bits() && p.Contains(part.Prefix.Addr()) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return !n.Permits(p.Addr()) || outer.Permits(p.Addr())
	}
	upper := p.Addr().AsSlice()
	upper[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	half, _ := netip.AddrFromSlice(upper) // is as long as an address
	return n.withinOf(outer, netip.PrefixFrom(p.Addr(), p.Bits()+1), parts) &&
		n.withinOf(outer, netip.PrefixFrom(half, p.Bits()+1), parts)
}

const unix = "unix"

// UnmarshalText reads "10.0.0.0/8", "10.0.0.0/255.0.0.0", "10.1.2.3", "2001:db8::/32"
// or "unix".
func (n *Network) UnmarshalText(text []byte) error {
	s := string(text)
	if s == unix {
		*n = Network{}
		return nil
	}
	bad := fmt.Errorf(`%q is no network: write "10.0.0.0/8", "10.1.2.3", "2001:db8::/32" or "unix"`, s)
	host, mask, masked := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return bad
	}
	bits := addr.BitLen()
	if masked {
		if bits, err = maskBits(addr, mask); err != nil {
			return bad
		}
	}
	if addr.Is4In6() {
		if bits -= 96; bits < 0 {
			return bad
		}
		addr = addr.Unmap()
	}
	n.Prefix, err = addr.Prefix(bits)
	if err != nil {
		return bad
	}
	return nil
}

// String writes n as the file has it.
func (n Network) String() string {
	if !n.Prefix.IsValid() {
		return unix
	}
	return n.Prefix.String()
}

// maskBits reads what stands behind the slash: "8" or, for IPv4, "255.0.0.0".
func maskBits(addr netip.Addr, mask string) (int, error) {
	if dotted, err := netip.ParseAddr(mask); err == nil {
		if !addr.Is4() || !dotted.Is4() {
			return 0, errors.New("a mask is for IPv4")
		}
		ones, size := net.IPMask(dotted.AsSlice()).Size()
		if size == 0 {
			return 0, errors.New("holes in the mask")
		}
		return ones, nil
	}
	p, err := netip.ParsePrefix(addr.String() + "/" + mask)
	return p.Bits(), err
}
