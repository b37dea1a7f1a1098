package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"ampd/codec"
)

func TestParseClasses(t *testing.T) {
	tests := map[string]struct {
		list    string
		want    codec.Classes
		unknown string
	}{
		"privilege of an event":        {list: "call,all", want: codec.Call},
		"two classes, as ListCommands": {list: "system,reporting,all", want: codec.System | codec.Reporting},
		"no case":                      {list: "Call,SYSTEM", want: codec.Call | codec.System},
		"blanks":                       {list: " call , agent\t", want: codec.Call | codec.Agent},
		"empty names":                  {list: ",call,,", want: codec.Call},
		"all alone":                    {list: "all", want: codec.All},
		"all alone, no case":           {list: " ALL ", want: codec.All},
		"all twice":                    {list: "all,all", want: codec.All},
		"all first":                    {list: "all,log", want: codec.Log},
		"no class asked":               {list: "<none>"},
		"no class beside all":          {list: "<none>,all"},
		"empty":                        {list: ""},
		"unknown":                      {list: "call,nosuch,other,all", want: codec.Call, unknown: "nosuch"},
		"unknown beside all gives nothing": {
			list: "nosuch,all", unknown: "nosuch",
		},
		"every name": {
			list: "system,call,log,verbose,command,agent,user,config,dtmf,reporting,cdr,dialplan,originate,agi,cc,aoc,test,security,message",
			want: codec.All,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, unknown := codec.ParseClasses(tc.list)
			require.Equal(t, tc.want, got)
			require.Equal(t, tc.unknown, unknown)
		})
	}
}

// TestClassBits holds Asterisk's own numbers, which "manager show connected" prints.
func TestClassBits(t *testing.T) {
	for bit, class := range map[int]codec.Classes{
		0: codec.System, 1: codec.Call, 2: codec.Log, 3: codec.Verbose, 4: codec.Command,
		5: codec.Agent, 6: codec.User, 7: codec.Config, 8: codec.DTMF, 9: codec.Reporting,
		10: codec.CDR, 11: codec.Dialplan, 12: codec.Originate, 13: codec.AGI, 15: codec.CC,
		16: codec.AOC, 17: codec.Test, 18: codec.Security, 30: codec.Message,
	} {
		require.Equal(t, codec.Classes(1)<<bit, class)
		require.True(t, codec.All.Has(class))

		back, unknown := codec.ParseClasses(class.String())
		require.Equal(t, class, back)
		require.Empty(t, unknown)
	}
}

func TestHasAndAny(t *testing.T) {
	held := codec.Call | codec.Agent
	require.True(t, held.Has(codec.Call))
	require.True(t, held.Has(0))
	require.False(t, held.Has(codec.Call|codec.System))
	require.True(t, held.Any(codec.Call|codec.System))
	require.False(t, held.Any(codec.System))
	require.False(t, held.Any(0))
}

func TestClassesString(t *testing.T) {
	require.Equal(t, "system,call", (codec.Call | codec.System).String())
	require.Equal(t, "<none>", codec.Classes(0).String())
	require.Equal(t, "all", codec.All.String())
}

func TestParseClassesDoesNotAllocate(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() { codec.ParseClasses("system,reporting,all") }))
}
