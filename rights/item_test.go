package rights

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
	"ampd/pbx"
)

// listItem is one that holds a secret.
func listItem(name string) *codec.Packet {
	headers := []codec.Header{{Name: "Event", Value: name}, {Name: "Password", Value: "hunter2"}}
	var raw []byte
	for _, h := range headers {
		raw = native.AppendHeader(raw, h.Name, h.Value)
	}
	return &codec.Packet{Raw: native.AppendEnd(raw), Headers: headers}
}

func TestItemsAskTheClassOfTheirEvents(t *testing.T) {
	for _, l := range rules.items {
		with, err := New(Grant{Type: Monitor, Read: l.class}, pbx.New())
		require.NoError(t, err)
		seen := with.Item(listItem(l.name))
		require.NotNil(t, seen, l.name)
		require.Equal(t, masked, seen.Get("Password"))
		require.NotContains(t, string(seen.Raw), "hunter2")

		without, err := New(Grant{Type: Administrator, Read: codec.All &^ l.class, Write: codec.All, Dangerous: true}, pbx.New())
		require.NoError(t, err)
		require.Nil(t, without.Item(listItem(l.name)), l.name)
		require.NotEmpty(t, l.source)
	}
	all, err := New(Grant{Type: Administrator, Read: codec.All, Dangerous: true}, pbx.New())
	require.NoError(t, err)
	require.Nil(t, all.Item(listItem("VoicemailUserEntry")), "no rule")
	require.Contains(t, string(all.Item(listItem("Agents")).Raw), "hunter2", "dangerous sees all")
}
