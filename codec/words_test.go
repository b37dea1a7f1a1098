package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func TestWords(t *testing.T) {
	for _, yes := range []string{"yes", "TRUE", "y", "T", "1", "On"} {
		require.True(t, codec.IsTrue(yes), yes)
		require.False(t, codec.IsFalse(yes), yes)
	}
	for _, no := range []string{"no", "False", "N", "f", "0", "OFF"} {
		require.True(t, codec.IsFalse(no), no)
		require.False(t, codec.IsTrue(no), no)
	}
	for _, neither := range []string{"", " yes", "2", "yes!", "enabled"} {
		require.False(t, codec.IsTrue(neither) || codec.IsFalse(neither), neither)
	}
}
