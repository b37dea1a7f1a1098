package tests

import (
	"testing"

	"ampd/tests/daemon"
)

func TestMain(m *testing.M) { daemon.Main(m) }
