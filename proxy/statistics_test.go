package proxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
	"ampd/codec/native"
)

// What GetConfig answers about queues.conf, templates in it resolved (observed with Asterisk 22).
func TestWrapUpsAreReadFromTheConfiguration(t *testing.T) {
	wire := "Response: Success\r\nCategory-000000: general\r\nLine-000000-000000: persistentmembers=yes\r\n" +
		"Category-000001: support\r\nLine-000001-000000: musicclass=default\r\nLine-000001-000001: wrapuptime=15\r\nLine-000001-000002: member=wrapuptime=3\r\n" +
		"Category-000002: Sales\r\nLine-000002-000000: WrapUpTime=5\r\nCategory-000003: empty\r\nLine-000003-000000: wrapuptime=no\r\n\r\n"
	var p codec.Packet
	require.NoError(t, native.NewDecoder(strings.NewReader(wire), native.FromAsterisk).Decode(&p))
	require.Equal(t, map[string]int64{"support": 15, "sales": 5}, wrapUps(&p))
}
