package rights

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// An attack of testdata/attacks.toml, whose head explains it.
type attack struct {
	ID       string
	Versions []int
	Classes  string
	Before   []string
	Packet   string
	Rule     string
	Masked   string
}

func attacks(t *testing.T) []attack {
	t.Helper()
	var file struct{ Attack []attack }
	_, err := toml.DecodeFile(filepath.Join("testdata", "attacks.toml"), &file)
	require.NoError(t, err)
	require.NotEmpty(t, file.Attack)
	return file.Attack
}

// What was seen to do harm on Asterisk itself is refused, by the rule that is meant
// to, and what leads up to it is not.
func TestAttacksAreRefused(t *testing.T) {
	for _, a := range attacks(t) {
		t.Run(a.ID, func(t *testing.T) {
			classes, unknown := codec.ParseClasses(a.Classes)
			require.Empty(t, unknown)
			s := subject(t, Grant{Type: Administrator, Read: classes, Write: classes})
			for _, text := range a.Before {
				require.Empty(t, s.Judge(nil, attackPacket(t, text)).Rule)
			}
			v := s.Judge(nil, attackPacket(t, a.Packet))
			require.Equal(t, a.Rule, v.Rule)
			require.NotEqual(t, a.Rule == "", a.Masked == "", "either refused or masked")

			lifted := subject(t, Grant{Type: Administrator, Read: classes, Write: codec.All, Dangerous: true})
			require.True(t, lifted.Judge(nil, attackPacket(t, a.Packet)).Allowed, "only dangerous gives it")
		})
	}
}

func attackPacket(t *testing.T, text string) *codec.Packet {
	t.Helper()
	var p codec.Packet
	text = strings.NewReplacer(
		"{mark}", "/tmp/ampd-attack", "{channel}", "Local/wait@misc-00000001;1", "{newest}", "Local/c$(id)@callers-00000001;1", "\n", "\r\n",
	).Replace(text + "\n")
	require.NoError(t, native.NewDecoder(strings.NewReader(text), native.FromClient).Decode(&p))
	return &p
}
