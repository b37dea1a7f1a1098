package profiles

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func networks(t *testing.T, list ...string) []Network {
	t.Helper()
	var all []Network
	for _, s := range list {
		var n Network
		require.NoError(t, n.UnmarshalText([]byte(s)))
		all = append(all, n)
	}
	return all
}

func TestNetworks(t *testing.T) {
	type list = []string
	tests := map[string]struct {
		permit, deny list
		yes, no      list // addresses, "" for a unix socket
	}{
		"nothing said": {
			yes: list{"10.1.2.3", "::1", ""},
		},
		"only permit": {
			permit: list{"10.0.0.0/8"},
			yes:    list{"10.1.2.3", "::ffff:10.1.2.3"}, no: list{"11.0.0.1", "::1", ""},
		},
		"only deny": {
			deny: list{"10.0.0.0/8"},
			yes:  list{"11.0.0.1", "::1", ""}, no: list{"10.1.2.3", "::ffff:10.1.2.3"},
		},
		"as in manager.conf": {
			permit: list{"127.0.0.0/255.0.0.0", "10.0.0.7"}, deny: list{"0.0.0.0/0.0.0.0"},
			yes: list{"127.0.0.1", "10.0.0.7"}, no: list{"10.0.0.8", "::1", ""},
		},
		"a hole in a permitted network": {
			permit: list{"10.0.0.0/8"}, deny: list{"10.1.0.0/16"},
			yes: list{"10.2.0.1"}, no: list{"10.1.0.1", "11.0.0.1"},
		},
		"an island in a hole": {
			permit: list{"10.0.0.0/8", "10.1.1.1"}, deny: list{"10.1.0.0/16"},
			yes: list{"10.2.0.1", "10.1.1.1"}, no: list{"10.1.1.2"},
		},
		"equals": {
			permit: list{"10.0.0.0/8"}, deny: list{"10.0.0.0/8"},
			no: list{"10.0.0.1", "11.0.0.1"},
		},
		"IPv6": {
			permit: list{"2001:db8::/32", "fe80::/10"}, deny: list{"2001:db8:1::/48"},
			yes: list{"2001:db8::1", "fe80::1%eth0"}, no: list{"2001:db8:1::1", "2001:db9::1", "127.0.0.1"},
		},
		"IPv4 written as IPv6": {
			permit: list{"::ffff:10.0.0.0/104", "::ffff:11.0.0.1"},
			yes:    list{"10.1.2.3", "11.0.0.1"}, no: list{"11.0.0.2"},
		},
		"host bits are no mistake": {
			permit: list{"10.1.2.3/8"},
			yes:    list{"10.200.0.1"}, no: list{"11.0.0.1"},
		},
		"unix sockets only": {
			permit: list{"unix"},
			yes:    list{""}, no: list{"127.0.0.1"},
		},
		"no unix sockets": {
			deny: list{"unix"},
			yes:  list{"127.0.0.1"}, no: list{""},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			n := Networks{Permit: networks(t, tc.permit...), Deny: networks(t, tc.deny...)}
			check := func(addresses list, want bool) {
				for _, s := range addresses {
					var addr netip.Addr
					if s != "" {
						addr = netip.MustParseAddr(s)
					}
					require.Equal(t, want, n.Permits(addr), "%q", s)
				}
			}
			check(tc.yes, true)
			check(tc.no, false)
		})
	}
}

func TestBadNetworks(t *testing.T) {
	for _, s := range []string{
		"", "x", "10.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/255.0.255.0", "10.0.0.0/ffff::", "::1/129",
		"::1/255.0.0.0", "fe80::1%eth0", "::ffff:10.0.0.0/8", "!10.0.0.0/8", "10.0.0.0/8,11.0.0.0/8", "10.0.0.0 - 10.0.0.9",
	} {
		var n Network
		require.ErrorContains(t, n.UnmarshalText([]byte(s)), "is no network", "%q", s)
	}
}
